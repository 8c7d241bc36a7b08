"""What a module brings along to the host it works on: itself, what it imports, every package above.

Ansible packs, sends, unpacks and compiles all of it for each task. A bound that is exceeded asks: does this
module need that? Where it does, the bound is raised with the change that made it; where a change makes it
smaller, the bound follows.
"""

from __future__ import annotations

import pytest
from source_tree import (
    FILES,
    closure,
    payload,
)

# Thousands of bytes of source that a check may bring along. 96 of them all checks have: what is secret (13),
# becoming the user (19, of which keys and control groups are 5), commands within bounds (7), attempts,
# verdicts, causes and cures (2); those that ask over HTTP have 134, of which 5 see to it that nobody else on
# the host is told the token.
CHECK = 209
# Those that need more, and what for.
LARGER: dict[str, int] = {
    # Beside HTTP: what it judges (15), the protocols of gateways (6), the frontend's pages (6), the backend's
    # settings (3), and of the host units (12), processes and their environments (7). Whether the release's
    # files are those that were deployed is 13, of which 6 read them.
    "configuration_check": 233,
    # Its judgments (24) and their causes (6), units (18), why a start failed (5), the journal of what failed
    # (13), processes and root's answers (14).
    "service_check": 212,
    # Beside HTTP: what it judges of a door (20), connections of its own (9), and of a gateway at an address
    # of its own what it judges (9), a WebSocket (8) and what refusals mean (6).
    "front_door_check": 231,
}
# All others. Of these database_restore was to have 70, and services 105. What others may say and take is
# bounded since, which is 6 in all of them.
# What becomes a user leaves root's keys behind and is enclosed, which is 5. And
# - database_restore has besides what database_backup has the schema (8), the migrations (3) and twice its
#   work (15): it streams, and revisions are compared before anything is replaced;
# - services reads the journal of what does not start and says why (14), knows who runs the gateway (5), and
#   looks at releases and notices on the user's side of the border (13), which came after that figure.
# verify is all checks at once.
BOUNDS: dict[str, int] = {
    "adoption": 178,
    # Of these two 20 are point in time and what is exported; of the first, 22 whether somebody deploys, and
    # which schema a release knows: between a migration and the switch to its release nothing fits together.
    "backup": 271,
    "backup_info": 99,
    "backup_restore": 247,
    # 35 of it the preflight (the points of the repository, and what opens it) and the archive of the log.
    "backup_setup": 139,
    "board": 83,
    "bundle": 92,
    # 4 of this, and of release, are what a build consists of: written down, and compared.
    "bundle_build": 313,
    "database_backup": 81,
    "database_migration": 173,
    "database_migration_info": 172,
    "database_query": 96,
    "database_restore": 106,
    "deployment": 126,
    "deployment_info": 119,
    "gateway": 89,
    "gateway_call": 93,
    "gateway_identity": 56,
    "gateway_install": 310,
    "gateway_pairing": 141,
    "host_command": 50,
    "host_info": 189,
    "maintenance": 144,
    "owner": 18,
    "preflight": 10,
    "release": 290,
    "release_info": 168,
    "service_logs": 108,
    "services": 153,
    "services_info": 141,
    "show": 5,
    "source": 139,
    "user_directories": 41,
    "user_file_info": 29,
    "user_units": 118,
    # 37 of it the backups: restic, its failures in words, and the points of a repository. Who holds a lock
    # is 5, the release's files are 7, what Redis refuses for other reasons than its password 3, and what
    # these explain 3. A gateway at an address of its own is 9, and the WebSocket to it 12. Who is in the
    # door's place, and what it does not reach, is 3.
    "verify": 732,
    "verify_report": 5,
}
MODULES = sorted(name.removeprefix("modules.") for name in FILES if name.startswith("modules."))
# By how much less a module may bring along before its bound is to follow.
SLACK = 12


def bound(module: str) -> int:
    """What a module may bring along."""
    return CHECK if module.endswith("_check") and module not in LARGER else {**BOUNDS, **LARGER}[module]


def test_every_module_has_a_bound() -> None:
    rule = {module for module in MODULES if module.endswith("_check")}
    assert sorted({*BOUNDS, *rule}) == MODULES
    assert set(LARGER) <= rule and min(LARGER.values()) > CHECK


@pytest.mark.parametrize("module", MODULES)
def test_a_module_brings_along_what_it_uses(module: str) -> None:
    name = f"modules.{module}"
    size = payload(name)
    largest = sorted(closure(name), key=lambda part: -FILES[part].stat().st_size)[:12]
    assert size <= bound(module), f"{size:.1f} kB, the largest of it: {', '.join(largest)}"
    if bound(module) != CHECK:
        assert size > bound(module) - SLACK, f"it is only {size:.1f} kB now: lower its bound"
