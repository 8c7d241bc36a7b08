# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the ports behind a front door on another host are closed to everybody else."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._application.loaded_firewall import ABSENT, FAMILY, TABLE, loaded
from .._cures import DEPLOYMENT
from .verdict import FAIL, SKIP, Verdict

_NOT_ROOT = os.strerror(errno.EPERM)


def judge_firewall(
    guarded: Sequence[Mapping[str, Any]], look: Callable[[], Mapping[str, Any]] = loaded
) -> Verdict:
    """The kernel's table beside what it shall be.

    :param guarded: the ports, each with the `sources` that reach it.
    """
    found = look()
    if found["refusal"] == _NOT_ROOT:
        return Verdict("firewall", SKIP, "only root sees the rules of nftables")
    wanted = {int(one["port"]): sorted(one["sources"]) for one in guarded}
    there = {int(one["port"]): sorted(one["sources"]) for one in found["ports"]}
    evidence = {"wanted": wanted, "found": there, "state": found["state"]}
    which = f"port{'s' if len(wanted) > 1 else ''} {', '.join(map(str, sorted(wanted)))}"
    if wanted == there:
        return Verdict("firewall", summary=f"{which} for the front door alone", evidence=evidence)
    if found["state"] == ABSENT:
        return Verdict(
            "firewall",
            FAIL,
            f"the table {FAMILY} {TABLE} is not loaded: {which} can be reached by everybody",
            cause="Somebody has flushed all tables (nft flush ruleset) or stopped "
            "mission-control-firewall, or the kernel takes no rules of nftables any more.",
            remedy="systemctl restart mission-control-firewall, or deploy again; and have what flushes all "
            "tables flush its own.",
            kind="firewall_absent",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    differing = sorted(port for port in {*wanted, *there} if wanted.get(port) != there.get(port))
    said = f" ({', '.join(map(str, differing))})" if there else ""
    return Verdict(
        "firewall",
        FAIL,
        f"the table {FAMILY} {TABLE} lets others through, or fewer, than it shall{said}",
        cause="Somebody has changed it by hand, or the inventory names other hosts or addresses than at the "
        "last deployment.",
        remedy="Deploy again; what was changed by hand is put right by systemctl restart "
        "mission-control-firewall, too. Who else is to reach these ports stands in "
        "mission_control_firewall_allowed.",
        kind="firewall_differs",
        cure=DEPLOYMENT,
        evidence=evidence,
    )
