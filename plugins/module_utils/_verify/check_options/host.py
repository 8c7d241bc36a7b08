# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check host."""

from __future__ import annotations

from ..option_model import UNITS, Options, listed, option, pair

TITLE = "clock, disk, memory, ports and sandboxing of the host are right"
OPTIONS: Options = {
    "paths": listed("Paths whose file systems must have space.", ["/", "~/mission-control"]),
    **pair("disk", "the free space (or inodes), in percent,", "10:", "3:"),
    **pair("memory", "the available memory, in percent,", "5:", "2:"),
    "ports": listed(
        "Ports that must be listened on.",
        [],
        elements="dict",
        options={
            "port": option("int", "The port.", required=True),
            "bind": option(
                "str",
                "V(any), V(loopback), an address (one for all means V(any)), or empty for whichever.",
                "",
            ),
            "unit": option("str", "The application user's unit that must hold it.", ""),
        },
    ),
    "strangers": option("bool", "Whether other ports of O(user) that others can reach are a warning.", True),
    "allowed_ports": listed("Ports that are none of these.", [], elements="int"),
    "sandbox_units": listed("User units whose sandboxing must be in force.", UNITS),
}
