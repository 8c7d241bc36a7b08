"""Backups in words and tables."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.backups import FilterModule

FILTERS = FilterModule().filters()
POINT = {
    "name": "20261101T020000Z",
    "time": "2026-11-01 02:00:00",
    "size": 1 << 20,
    "parts": ["database", "settings"],
    "purpose": "before-a-restoration",
    "complete": True,
}


def found(**changes: Any) -> dict[str, Any]:
    return {
        "points": [POINT],
        "repository": "/var/backups/x",
        "leaves_the_host": False,
        "state": {},
        **changes,
    }


def test_one_table_over_all_hosts() -> None:
    text = FILTERS["backups_table"](
        {
            "one": found(state={"drill": {"name": POINT["name"]}}),
            "two": found(
                points=[dict(POINT, complete=False)],
                leaves_the_host=True,
                state={"attempt": {"error": {"msg": "No room."}}},
            ),
            "three": found(points=[], leaves_the_host=True),
            "four": {"repository": ""},
            "five": {"unreachable": True},
            "six": {"failed": True, "msg": "why"},
        }
    )
    for words in (
        "before a restoration, proved by a drill",
        "unfinished, cannot be restored",
        "none yet",
        "makes no backups",
        "unreachable",
        "not known: why",
        "1.0 MiB",
        "one: /var/backups/x does not outlive the host: name another place",
        "two: the last backup failed: No room.",
    ):
        assert words in text
    assert "two: /var/backups/x does not outlive" not in text


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"changed": True}, "a restore point would be made."),
        (
            {"name": "p", "size": 1024, "seconds": 3.0, "parts": {"database": {}, "settings": {}}},
            "made the restore point p (database+settings, 1.0 KiB in 3.0 s).",
        ),
        (
            {"name": "p", "size": 1, "seconds": 30, "parts": {"gateway": {}}, "warning": "Locked."},
            "made the restore point p (gateway, 1 B in 30 s). Warning: Locked.",
        ),
        (
            {"point": POINT, "parts": [{"part": "database", "how": "restored", "seconds": 2.0}]},
            "the restore point 20261101T020000Z can be restored (database restored in 2.0 s).",
        ),
    ],
)
def test_what_was_done(answer: dict[str, Any], says: str) -> None:
    assert FILTERS["backup_sentence"](answer) == says


def test_what_would_be_lost() -> None:
    plan = {
        "point": POINT,
        "parts": ["database"],
        "release": "r1",
        "migrates": True,
        "rows": [
            {"table": "boards", "now": 3, "then": 3},
            {"table": "tasks", "now": 9, "then": 7},
            {"table": "labels", "now": 1, "then": None},
        ],
    }
    text = FILTERS["restore_sentence"](plan, "one")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0].startswith(
        "one: the restore point 20261101T020000Z of 2026-11-01 02:00:00: database come"
    )
    assert "tasks 9 7" in lines and "labels 1 -" in lines and not any("boards" in line for line in lines)
    assert "migrated" in lines[-1]
    same = FILTERS["restore_sentence"]({**plan, "rows": plan["rows"][:1], "migrates": False}, "one")
    assert "Each table has as many rows as then." in same
    assert "nothing that belongs" in FILTERS["restore_sentence"]({**plan, "parts": []}, "one")
    assert "~/x comes back from it" in FILTERS["restore_sentence"](plan, "one", "~/x")


@pytest.mark.parametrize("name", sorted(FILTERS.keys() - {"backup_place"}))
def test_what_is_no_result_is_refused(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match="expects a dictionary"):
        FILTERS[name](["x"], *(["one"] if name == "restore_sentence" else []))


def test_a_login_in_the_address_goes_where_keys_go() -> None:
    place = FILTERS["backup_place"]("rest:https://keeper:p4ss@store/", {"RESTIC_CACERT": "/etc/ca.pem"})
    assert place == {
        "repository": "rest:https://store/",
        "credentials": {
            "RESTIC_REST_USERNAME": "keeper",
            "RESTIC_REST_PASSWORD": "p4ss",
            "RESTIC_CACERT": "/etc/ca.pem",
        },
    }
    assert FILTERS["backup_place"]("/srv/x") == {"repository": "/srv/x", "credentials": {}}
    with pytest.raises(AnsibleFilterError, match="backup_place expects a dictionary"):
        FILTERS["backup_place"]("/srv/x", ["a"])
