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
CHECK = 212
# Those that need more, and what for.
LARGER: dict[str, int] = {
    # Beside HTTP: what it judges (15), the protocols of gateways (6), the frontend's pages (6), the backend's
    # settings (3), and of the host units (12), processes and their environments (7). Whether the release's
    # files are those that were deployed is 13, of which 6 read them.
    # Which protocol of gateways the source speaks is 2.
    "configuration_check": 244,
    # Its judgments (24) and their causes (6), units (18), why a start failed (5), the journal of what failed
    # (13), processes and root's answers (14).
    "service_check": 223,
    # What it judges (20), listeners and processes (17), sandboxes (11), how certbot renews (5), and what the
    # kernel has of the firewall's table (7).
    "host_check": 238,
    # Beside HTTP: what it judges of a door (20), connections of its own (9), and of a gateway at an address
    # of its own what it judges (9), a WebSocket (8) and what refusals mean (6).
    "front_door_check": 234,
}
# All others. Of these database_restore was to have 70, and services 105. What others may say and take is
# bounded since, which is 6 in all of them.
# Lines without end are taken in pieces, and root watches his disk meanwhile: 1 in all that becomes a user.
# What becomes a user leaves root's keys behind and is enclosed, which is 5, and has a limit of memory where
# it only looks, which is 1. And
# - database_restore has besides what database_backup has the schema (8), the migrations (3) and twice its
#   work (15): it streams, and revisions are compared before anything is replaced;
# - services reads the journal of what does not start and says why (14), knows who runs the gateway (5), and
#   looks at releases and notices on the user's side of the border (13), which came after that figure.
# verify is all checks at once.
BOUNDS: dict[str, int] = {
    "adoption": 180,
    # Of these two 20 are point in time and what is exported; of the first, 22 whether somebody deploys, and
    # which schema a release knows: between a migration and the switch to its release nothing fits together.
    "backup": 281,
    "backup_info": 101,
    "backup_restore": 253,
    # 35 of it the preflight (the points of the repository, and what opens it) and the archive of the log; 15
    # see whether somebody else could change the way to the repository.
    "backup_setup": 158,
    "board": 84,
    "bundle": 94,
    # 4 of this, and of release, are what a build consists of: written down, and compared.
    "bundle_build": 317,
    "database_backup": 83,
    "database_migration": 176,
    "database_migration_info": 174,
    "database_query": 100,
    "database_restore": 108,
    "deployment": 129,
    "deployment_info": 121,
    "gateway": 91,
    "gateway_call": 95,
    "gateway_identity": 57,
    "gateway_install": 315,
    "gateway_pairing": 143,
    "host_command": 51,
    # 10 of it what the kernel has of the firewall's table.
    "host_info": 202,
    "maintenance": 145,
    "owner": 18,
    "preflight": 10,
    # Becoming a user is 19, who listens at a port 6, Redis' protocol 9.
    "redis_server": 84,
    "release": 292,
    "release_info": 170,
    "service_logs": 109,
    "services": 156,
    "services_info": 143,
    "show": 5,
    "source": 141,
    "user_directories": 45,
    "user_file_info": 31,
    "user_units": 119,
    # 37 of it the backups: restic, its failures in words, and the points of a repository. Who holds a lock
    # is 5, the release's files are 7, what Redis refuses for other reasons than its password 3, and what
    # these explain 3. A gateway at an address of its own is 9, and the WebSocket to it 12.
    # The firewall's table is 7, certbot's renewal 3.
    # Faults that nobody had thought of are 34: listeners, boots, freezers, the database's own obstacles.
    "verify": 801,
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
