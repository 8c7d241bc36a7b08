"""The life of releases on one host, in the order of the tests. Each ends with the data that was there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from releases_support import (
    HEAD,
    NEWER,
    ROOT,
    USER,
    Applications,
    Data,
    current,
    data,
    healthy,
    history,
    on_host,
    outcome,
    play,
    releases,
    runs_from,
    schema,
    start,
    started,
    until,
)

testinfra_hosts = ["releases"]
# Names of releases by what they were made of.
NAMES: dict[str, str] = {}


@pytest.fixture(autouse=True)
def nothing_is_lost(written: Data) -> Iterator[None]:
    """Whatever a test does, the data stays."""
    assert written.boards > 0 and written.tasks > 0
    yield
    assert data() == written


def deploy(applications: Applications, name: str) -> None:
    done = play("deploy.yml", source=applications.get(name))
    assert done.returncode == 0, done.output
    NAMES[name] = current()
    assert outcome(current()) == "verified" and healthy()
    assert (history()[-1]["result"], history()[-1]["release"]) == ("deployed", current())


def refused(applications: Applications, name: str) -> str:
    """Deploy a release that fails; the one that was current serves on."""
    before, had = current(), set(releases())
    done = play("deploy.yml", source=applications.get(name))
    assert done.returncode != 0
    assert current() == before and outcome(before) == "verified" and healthy()
    assert runs_from("backend") == runs_from("worker") == before
    (NAMES[name],) = set(releases()) - had
    return done.words


def test_first(applications: Applications) -> None:
    """The host has another address than when the snapshot was made, so this is a new release already."""
    deploy(applications, "plain")


def test_upgrade_of_the_backend_leaves_the_frontend_alone(applications: Applications) -> None:
    frontend = started("frontend")
    deploy(applications, "upgraded")
    assert runs_from("backend") == runs_from("worker") == NAMES["upgraded"]
    assert started("frontend") == frontend


def test_no_op(applications: Applications) -> None:
    before = [started(part) for part in ("backend", "worker", "frontend")]
    done = play("deploy.yml", source=applications.get("upgraded"))
    assert done.returncode == 0 and done.counts["changed"] == 0, done.output
    assert "Verify the release" not in done.output
    assert [started(part) for part in ("backend", "worker", "frontend")] == before


def held() -> bool:
    """Whether a deployment has shown the host that it lives."""
    return (
        on_host("flock -n /var/lib/mission-control/deployment-mission-control.json true || echo held")
        == "held"
    )


def test_two_deployments_are_kept_apart_and_the_lock_ends_with_its_holder(applications: Applications) -> None:
    source = applications.get("upgraded")
    with start("deploy.yml", source=source) as first:
        until(held)
        second = play("deploy.yml", "-e", "source_lock_timeout=0", source=source)
        assert first.poll() is None
        first.kill()
        first.communicate()
    assert second.returncode != 0 and second.counts["changed"] == 0
    assert "Another deployment works on releases: deploy by " in second.words
    assert f"while release {NAMES['upgraded']} serves, since 20" in second.words
    # Nobody removes anything: the next one goes on at once, or when it has seen the end of the first.
    third = play("deploy.yml", "-e", "source_lock_timeout=30", source=source)
    assert third.returncode == 0, third.output
    assert [line["result"] for line in history()][-2:] == ["interrupted", "unchanged"]


def test_a_deployment_waits_for_another(applications: Applications) -> None:
    source = applications.get("upgraded")
    with start("deploy.yml", source=source) as first:
        until(held)
        second = play("deploy.yml", source=source)
        assert first.wait() == 0
    assert second.returncode == 0, second.output
    assert "Waiting for another deployment on releases" in second.words
    assert [line["result"] for line in history()][-2:] == ["unchanged", "unchanged"]


def test_unknown_release_is_told_with_the_known_ones() -> None:
    done = play("rollback.yml", "-e", "release=nonsense")
    assert done.returncode != 0
    assert "release: nonsense is no release of this host" in done.words
    assert f"{NAMES['plain']} (verified)" in done.words
    assert f"{NAMES['upgraded']} (current, verified)" in done.words
    assert current() == NAMES["upgraded"]


def test_rollback_foretold() -> None:
    done = play("rollback.yml", "--check")
    assert done.returncode == 0, done.output
    assert f"would go from {NAMES['upgraded']} to {NAMES['plain']}" in done.words
    assert current() == NAMES["upgraded"] and outcome(current()) == "verified"


def test_rollback() -> None:
    done = play("rollback.yml")
    assert done.returncode == 0, done.output
    assert current() == runs_from("backend") == runs_from("worker") == NAMES["plain"] and healthy()
    assert outcome(NAMES["upgraded"]) == "left"
    line = history()[-1]
    assert (line["action"], line["result"]) == ("rollback", "rolled_back")
    assert (line["previous"], line["release"]) == (NAMES["upgraded"], NAMES["plain"])


def test_list() -> None:
    done = play("releases.yml")
    assert done.returncode == 0 and done.counts["changed"] == 0
    lines = {name: line for name in NAMES.values() for line in done.output.splitlines() if name in line}
    assert "current, verified" in lines[NAMES["plain"]]
    assert "rolled back from" in lines[NAMES["upgraded"]]


def test_history() -> None:
    done = play("history.yml")
    assert done.returncode == 0 and done.counts["changed"] == 0
    for words in ("deployed", "nothing to do", "INTERRUPTED", "rolled back"):
        assert words in done.output
    assert on_host(f"stat -c '%A %U' {ROOT}/shared/history.jsonl") == f"-rw-r----- {USER}"


def test_unhealthy_release(applications: Applications) -> None:
    said = refused(applications, "unhealthy")
    assert f"Release {NAMES['unhealthy']} did not pass: health:" in said
    assert f"Release {NAMES['plain']} serves again" in said
    assert "RuntimeError: made to be unhealthy" in said
    assert outcome(NAMES["unhealthy"]) == "failed"
    line = history()[-1]
    assert line["result"] == "returned" and "health" in line["failed_checks"]
    assert (line["release"], line["current"]) == (NAMES["unhealthy"], NAMES["plain"])
    assert line["by"] and line["from"] and line["seconds"] > 0


def test_nothing_goes_back_to_a_failed_release() -> None:
    done = play("rollback.yml", "-e", f"release={NAMES['unhealthy']}")
    assert done.returncode != 0 and "failed when it was deployed (health" in done.words
    assert current() == NAMES["plain"]


def test_release_that_crashes(applications: Applications) -> None:
    said = refused(applications, "crashing")
    assert "mission-control-backend.service of mission-control does not run" in said
    assert "made to crash" in said and f"Release {NAMES['plain']} serves again" in said
    assert outcome(NAMES["crashing"]) == "failed"


def backups() -> list[str]:
    return on_host(f"stat --format='%A %n' {ROOT}/shared/backups/*").splitlines()


def test_failing_migration(applications: Applications) -> None:
    process = started("backend")
    before = backups()
    said = refused(applications, "broken_migration")
    assert 'relation "boards" already exists' in said and "the schema is as before" in said
    assert schema() == HEAD
    assert started("backend") == process
    # The first deployment of the host left one of the empty database.
    (taken,) = [line for line in backups() if line not in before]
    assert taken.startswith("-rw-------") and taken.endswith(f"-{HEAD}.dump")


def test_migration_and_pruning(applications: Applications) -> None:
    deploy(applications, "migrated")
    assert schema() == NEWER
    # Two are kept that did not fail, and the last one that did, for a look at it.
    left = set(releases())
    assert {NAMES["migrated"], NAMES["crashing"]} <= left
    assert not {NAMES["upgraded"], NAMES["unhealthy"]} & left


def test_rollback_over_a_migration_has_to_be_allowed() -> None:
    """The frontend still runs from the first release, which is why that was not pruned."""
    done = play("rollback.yml", "-e", f"release={NAMES['plain']}")
    assert done.returncode != 0
    assert f"The database is at {NEWER}, which release {NAMES['plain']} does not know" in done.words
    assert f"alembic downgrade {HEAD}" in done.words and f"-{HEAD}.dump" in done.words
    assert current() == NAMES["migrated"]
    done = play("rollback.yml", "-e", f"release={NAMES['plain']}", "-e", "allow_newer_schema=true")
    assert done.returncode == 0, done.output
    assert current() == NAMES["plain"] and healthy() and schema() == NEWER


def test_uninstall() -> None:
    done = play("uninstall.yml", "-e", "drop_database=another")
    assert done.returncode != 0 and "another is not the name of the database" in done.words and healthy()
    done = play("uninstall.yml")
    assert done.returncode == 0, done.output
    assert on_host(f"cd {ROOT}; echo *; cd shared; echo *").splitlines() == [
        "shared",
        "backups history.jsonl identity",
    ]
    assert "mission-control" not in on_host(f"ls /home/{USER}/.config/systemd/user")
    assert not healthy()
    assert play("uninstall.yml").counts["changed"] == 0
