# SPDX-License-Identifier: GPL-3.0-or-later
"""What it explains that the user's systemd manager does not run."""

from __future__ import annotations

from ..explanation import Match, Row
from .words import NO_WORK_DONE, NOT_REACHED, kinds

ROW = Row(
    name="user manager",
    causes=(kinds("no_linger", "linger_off", "manager_down", "manager_hangs", "manager_cut_off"),),
    effects=(
        Match(
            at=("service", "configuration"),
            but=frozenset({"maintenance", "not_deployed", "env_file_garbled"}),
        ),
        kinds(*NOT_REACHED, "no_worker", *NO_WORK_DONE),
        Match(kinds=frozenset({"port_closed"}), unit="*"),
    ),
    reason="Without the user's systemd manager none of its units runs, is started or can be looked at.",
)
