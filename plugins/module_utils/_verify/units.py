# SPDX-License-Identifier: GPL-3.0-or-later
"""The user units of the application, for the checks that look at them."""

from __future__ import annotations

from collections.abc import Sequence

from .._application.installation import Installation
from .._host.systemd import UserManager
from .._host.unit_status import UnitStatus, statuses


class Units:
    """The units of the user whom the host's application belongs to. Nothing here writes."""

    def __init__(self, host: Installation) -> None:
        self._host = host

    def states(self, names: Sequence[str]) -> dict[str, UnitStatus]:
        """The state of the units and of the sockets that belong to them, by one call of systemctl.

        Raises HostError where the user's systemd manager cannot be asked.
        """
        manager = UserManager(self._host.account)
        manager.require()
        wanted = [*names, *(f"{name.removesuffix('.service')}.socket" for name in names)]
        return statuses(manager.show(wanted))

    def lingering(self) -> bool:
        """Whether the user's units run without a login."""
        return UserManager(self._host.account).lingering
