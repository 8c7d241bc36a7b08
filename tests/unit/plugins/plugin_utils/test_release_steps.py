# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is worked out between the calls of a deployment or a rollback."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _release_steps as steps

SOCKET = {"name": "b.socket", "content": "s", "enabled": True}
SERVICE = {"name": "b.service", "content": "x", "enabled": True, "part": "backend"}
PREPARED = {"id": "r2", "current": "r1", "fallback": "r1", "outcome": "new"}
SCHEMA = {
    "relation": "ahead",
    "current": ["c"],
    "head": "a",
    "beyond": [{"message": "add tags."}, {"message": "add labels"}],
    "pending": [],
    "code": "r2",
    "backups": ["20260101.dump"],
}


def test_a_unit_is_restarted_with_its_part_of_the_release() -> None:
    assert steps.units([SOCKET, SERVICE], {"backend": "f1"}, ["w.service", "b.socket"]) == [
        {"name": "b.service", "content": "x", "enabled": True, "restart_on": "f1"},
        {"name": "w.service", "state": "absent"},
        {"name": "b.socket", "state": "absent"},
    ]
    assert steps.units([SERVICE], {})[0]["restart_on"] == ""
    assert steps.units([SOCKET], {"backend": "f1"}) == [SOCKET]


@pytest.mark.parametrize(
    ("changes", "release"),
    [
        # What was put into service goes back to what served before.
        ({"switched": True}, "r1"),
        ({"switched": False}, "r1"),
        ({"release": {**PREPARED, "fallback": None}, "switched": True}, ""),
        # It was good, and is still current: its own units come back.
        ({"release": {**PREPARED, "outcome": "verified"}}, "r2"),
        ({"release": {**PREPARED, "outcome": "verified"}, "adopting": True}, "r2"),
        ({"release": {**PREPARED, "outcome": "verified"}, "switched": True}, "r1"),
        # What was set up by hand serves again instead.
        ({"switched": True, "adopting": True}, ""),
        ({"action": "rollback"}, "r1"),
        ({"action": "rollback", "schema_changes": True}, ""),
        ({"action": "rollback", "release": {**PREPARED, "current": "r2"}}, ""),
        ({"action": "rollback", "release": {"id": "r2", "current": "r1"}}, ""),
    ],
)
def test_the_release_that_has_to_serve_again(changes: dict[str, Any], release: str) -> None:
    situation = {
        "action": "deploy",
        "release": PREPARED,
        "switched": False,
        "adopting": False,
        "schema_changes": False,
        **changes,
    }
    assert steps.way_back(situation) == release


def test_the_reason_is_the_checks_or_the_beginning_of_the_message() -> None:
    assert steps.failure_reason({"verdicts": [{"name": "health"}, {"name": "queue"}], "message": "x"}) == (
        "health, queue"
    )
    assert steps.failure_reason({"verdicts": [], "message": "short"}) == "short"
    long = steps.failure_reason({"message": "word " * 100})
    assert len(long) <= 160 and long.endswith("word...")


FAILURE = {"release": "r2", "current": "r1", "message": "The unit failed.", "verdicts": []}


@pytest.mark.parametrize(
    ("failure", "aftermath", "text"),
    [
        ({}, {"target": "r1"}, "Release r2 did not pass: The unit failed. Release r1 serves again."),
        (
            {},
            {"target": "r1", "missed": ["worker", "frontend"]},
            "Release r2 did not pass: The unit failed. Release r1 serves again. It has no "
            "worker and frontend, which "
            "nobody serves on this host now.",
        ),
        (
            {
                "verdicts": [
                    {"name": "health", "summary": "No answer", "remedy": "Start it."},
                    {"name": "queue", "summary": "Full.", "remedy": ""},
                ]
            },
            {},
            "Release r2 did not pass: health: No answer. Start it. queue: Full. There is no "
            "earlier release that could "
            "serve instead.",
        ),
        (
            {},
            {"given_back": True},
            "Release r2 did not pass: The unit failed. What was set up by hand serves again, "
            "from where it was.",
        ),
        (
            {},
            {"action": "rollback", "schema_changed": True},
            "Release r2 did not pass: The unit failed. It stays current, for the database was "
            "taken back to fit it. To "
            "have r1 serve again, deploy its revision, which migrates anew.",
        ),
        (
            {"current": "r2"},
            {},
            "Release r2 did not pass: The unit failed. It was current before and stays so.",
        ),
        (
            {},
            {"target": "r1", "migrated": {"applied": ["a", "b"], "backup": "/x.dump"}},
            "Release r2 did not pass: The unit failed. Release r1 serves again. The database "
            "keeps the migrations that "
            "were applied (a, b); the backup from before is /x.dump. To take them back: "
            "rollback.yml -e release=r1 "
            "-e schema=downgrade (or restore).",
        ),
        (
            {},
            {"migrated": {"applied": ["a"], "backup": ""}},
            "Release r2 did not pass: The unit failed. There is no earlier release that could "
            "serve instead. The "
            "database keeps the migrations that were applied (a); the backup from before is "
            "missing. To take them "
            "back: rollback.yml -e release=ID -e schema=downgrade (or restore).",
        ),
    ],
)
def test_what_is_said_of_a_release_that_failed(
    failure: dict[str, Any], aftermath: dict[str, Any], text: str
) -> None:
    assert steps.failure_text({**FAILURE, **failure}, {"action": "deploy", **aftermath}) == text


@pytest.mark.parametrize("way", ["", "keep", "downgrade", "restore"])
@pytest.mark.parametrize("relation", ["same", "ahead"])
def test_a_rollback_goes_on_where_it_can(relation: str, way: str) -> None:
    problem = steps.schema_problem({**SCHEMA, "relation": relation}, "r1", way, "/mc")
    assert (problem == "") == (relation == "same" or way != "")


def test_a_newer_schema_is_told_with_what_can_be_done() -> None:
    assert steps.schema_problem(SCHEMA, "r1", "", "/mc") == (
        "The database is at c, which release r1 does not know: it ends at a. Newer migrations: "
        "add tags; add labels. "
        "Say what to do: (1) -e schema=keep runs the older code on the newer schema, right if "
        "those migrations only "
        "added something; (2) -e schema=downgrade takes them back, which drops what is in their "
        "tables and columns "
        "(with the code of release r2); (3) -e schema=restore restores the backup from before "
        "them, without what was "
        "written since: 20260101.dump. For (2) and (3) the services are stopped and a backup of "
        "the present state is "
        "taken first. Nothing was changed."
    )


@pytest.mark.parametrize(
    ("lacking", "way", "words"),
    [
        ({"code": None}, "downgrade", "not possible, no release on this host knows them"),
        ({"backups": []}, "restore", "not possible, there is none in /mc/shared/backups"),
    ],
)
def test_a_way_that_is_not_there_is_refused(lacking: dict[str, Any], way: str, words: str) -> None:
    problem = steps.schema_problem({**SCHEMA, **lacking}, "r1", way, "/mc")
    assert f"schema={way} cannot be done here." in problem and words in problem
    assert steps.schema_problem({**SCHEMA, **lacking}, "r1", "keep", "/mc") == ""


def test_an_unknown_way_and_an_older_schema_are_refused() -> None:
    assert 'schema: "back" is not a valid choice.' in steps.schema_problem(SCHEMA, "r1", "back", "/mc")
    older = {"relation": "behind", "pending": [{"message": "add tags"}]}
    problem = steps.schema_problem(older, "r1", "", "/mc")
    assert problem.startswith("Release r1 needs migrations that the database does not have (add tags).")
    assert "unknown ones" in steps.schema_problem({"relation": "behind"}, "r1", "keep", "/mc")


@pytest.mark.parametrize(
    ("done", "history", "sentence"),
    [
        ({}, {}, ""),
        ({"applied": ["a"], "backup": "/x"}, {"migrated": ["a"], "backup": "/x"}, ""),
        (
            {"taken_back": ["b", "a"], "backup": "/x"},
            {"way": "downgrade", "taken_back": ["b", "a"], "backup": "/x"},
            "Migrations taken back: b, a; the backup from before is /x.",
        ),
        (
            {"taken_back": ["b"]},
            {"way": "downgrade", "taken_back": ["b"], "backup": ""},
            "Migrations taken back: b; the backup from before is not taken in check mode.",
        ),
        (
            {"restored": "old.dump", "kept": "public_before_1", "backup": "/x"},
            {"way": "restore", "restored": "old.dump", "kept": "public_before_1", "backup": "/x"},
            "Restored: old.dump. What was there stays in the schema public_before_1 of the "
            "database and in the backup /x.",
        ),
        # Looked at, as in check mode: nothing for the history.
        (
            {"restored": "old.dump"},
            {},
            "Restored: old.dump. What was there stays in the schema public_before_<time> of the "
            "database and in the "
            "backup that would be taken.",
        ),
        ({"keeps": True}, {"way": "keep"}, "The database keeps its newer schema."),
    ],
)
def test_what_was_done_to_the_database(done: dict[str, Any], history: dict[str, Any], sentence: str) -> None:
    assert steps.schema_history(done) == history
    assert steps.schema_sentence(done) == sentence


def test_what_a_rollback_did_to_a_host() -> None:
    done = {
        "previous": "r2",
        "target": "r1",
        "described": "main, abc",
        "restarted": ["b.service", "w.service"],
    }
    assert steps.rollback_sentence("h", done, {"keeps": True}, predicted=False) == (
        "h: went from r2 to r1 (main, abc); started: b.service, w.service. The database keeps "
        "its newer schema."
    )
    assert steps.rollback_sentence("h", {"target": "r1", "restarted": []}, {}, predicted=True) == (
        "h: would go to r1; would start: nothing."
    )


@pytest.mark.parametrize(
    ("names", "predicted", "said"),
    [
        (
            ["LOCAL_AUTH_TOKEN"],
            False,
            "h: LOCAL_AUTH_TOKEN of release r1 is not what the installation uses now. "
            "Its code serves with today's value, as release r3.",
        ),
        (
            ["DATABASE_URL", "LOCAL_AUTH_TOKEN", "RQ_REDIS_URL"],
            True,
            "h: DATABASE_URL, LOCAL_AUTH_TOKEN and RQ_REDIS_URL of release r1 are not what the installation "
            "uses now. Its code would serve with today's values, as release r3.",
        ),
    ],
)
def test_secrets_that_do_not_go_back_are_told(names: list[str], predicted: bool, said: str) -> None:
    renewal = {"id": "r3", "renewed": names}
    assert steps.renewal_sentence("h", "r1", renewal, predicted=predicted) == said
