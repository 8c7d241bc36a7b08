# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The user units of the application, for the checks that look at them."""

from __future__ import annotations

from collections.abc import Sequence

from .._application.target import Host
from .._host.systemd import UnitStatus, UserManager, unit_status


class Units:
    """The units of the user whom the host's application belongs to. Nothing here writes."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def states(self, names: Sequence[str]) -> dict[str, UnitStatus]:
        """The state of the units and of the sockets that belong to them, by one call of systemctl.

        Raises HostError where the user's systemd manager cannot be asked.
        """
        manager = UserManager(self._host.account)
        manager.require()
        wanted = [*names, *(f"{name.removesuffix('.service')}.socket" for name in names)]
        return {name: unit_status(name, properties) for name, properties in manager.show(wanted).items()}

    def lingering(self) -> bool:
        """Whether the user's units run without a login."""
        return UserManager(self._host.account).lingering
