# SPDX-License-Identifier: GPL-3.0-or-later
"""What stops a deployment, with details for a module's result."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from .errors import HostError

MAKE_ROOM = "Make room there (df -h shows where it lacks) and run it again: what is done already is kept."


class DeploymentError(HostError):
    """Something that stopped a deployment; `details` goes into the module's result."""

    def __init__(
        self,
        message: str,
        *,
        kind: str = "deployment",
        remedy: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, kind=kind, remedy=remedy)
        self.details: dict[str, Any] = dict(details or {})

    def result(self) -> dict[str, Any]:
        """The arguments of fail_json."""
        return {**super().result(), **self.details}


class CancelledError(DeploymentError):
    """Another part of the same work failed first."""


def os_error(error: OSError) -> DeploymentError:
    """What the kernel has refused, in words."""
    where = f" ({error.filename})" if error.filename else ""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    message = f"{'The disk is full: ' if full else ''}{error.strerror or error}{where}."
    return DeploymentError(message, kind="os_error", remedy=MAKE_ROOM if full else "")
