# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on a host, with the remedy."""

from __future__ import annotations

from typing import Any


class HostError(Exception):
    """Something about the host that an operator can put right."""

    def __init__(self, message: str, *, kind: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.remedy = remedy

    def result(self) -> dict[str, Any]:
        """The arguments of fail_json."""
        message = f"{self.message} {self.remedy}".strip()
        return {"msg": message, "kind": self.kind, "remedy": self.remedy}
