# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd manager of the host."""

from __future__ import annotations

from collections.abc import Sequence

from .commands import Completed, Runner, run
from .systemd import read_show, show_arguments
from .unit_names import unit_name


class SystemManager:
    """The manager of the host (PID 1)."""

    def __init__(self, run: Runner = run) -> None:
        self._run = run

    def call(self, *arguments: str, timeout: float = 60.0) -> Completed:
        return self._run(["systemctl", "--no-ask-password", *arguments], timeout=timeout)

    def show(
        self, units: Sequence[str], properties: Sequence[str] | None = None
    ) -> dict[str, dict[str, str]]:
        names = [unit_name(unit) for unit in units]
        return read_show(self.call(*show_arguments(names, properties)), names) if names else {}
