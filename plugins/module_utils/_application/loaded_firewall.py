# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel has of our table, which only root sees."""

from __future__ import annotations

import json
from typing import Any

from .._host import netfilter
from .._host.commands import Runner, run
from .._host.errors import HostError
from .._host.root_questions import answered_by_root
from .firewall import FAMILY, TABLE, read

# By its path: who is asked is root.
_LIST = ("/usr/sbin/nft", "--json", "--numeric", "list", "table", FAMILY, TABLE)
ABSENT, OTHER, LOADED = "absent", "other", "loaded"


def look(run: Runner = run) -> dict[str, Any]:
    """Whether it is there (`state`) and what it comes to (`ports`), or why nobody can tell (`refusal`)."""
    if why := netfilter.ask():
        return {"state": ABSENT, "ports": [], "refusal": why}
    try:
        done = run(_LIST, timeout=20)
        found = read(json.loads(done.stdout)) if done.ok else []
    except HostError as error:
        # Where nft is not installed, nobody has loaded anything with it.
        why = "" if error.kind == "no_such_command" else error.message
        return {"state": ABSENT, "ports": [], "refusal": why}
    except ValueError:
        return {"state": OTHER, "ports": [], "refusal": ""}
    state = ABSENT if not done.ok else OTHER if found is None else LOADED
    return {"state": state, "ports": found or [], "refusal": ""}


@answered_by_root
def loaded() -> dict[str, Any]:
    """See look."""
    return look()
