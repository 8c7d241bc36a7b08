"""The life of releases on one host, in the order of the tests. Each ends with the data that was there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from releases_support import (
    ANSI,
    HEAD,
    NEWER,
    ROOT,
    SOON,
    USER,
    Applications,
    Data,
    Played,
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
    sql,
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


def deploy(applications: Applications, name: str, *arguments: str) -> None:
    before = current()
    done = play("deploy.yml", *arguments, source=applications.get(name))
    assert done.returncode == 0, done.output
    NAMES[name] = current()
    assert outcome(current()) == "verified" and healthy()
    result = "unchanged" if name == "plain" and current() == before else "deployed"
    assert (history()[-1]["result"], history()[-1]["release"]) == (result, current())


def refused(applications: Applications, name: str) -> str:
    """Deploy a release that fails; the one that was current serves on."""
    before, had = current(), set(releases())
    done = play("deploy.yml", *SOON, source=applications.get(name))
    assert done.returncode != 0
    assert current() == before and outcome(before) == "verified" and healthy()
    assert runs_from("backend") == runs_from("worker") == before
    (NAMES[name],) = set(releases()) - had
    return done.words


def test_first(applications: Applications) -> None:
    """Where the host has another address than when the snapshot was made, this is a new release already."""
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


# This host has no gateway, and the data that it was given know one.
WITHOUT_GATEWAY = json.dumps(
    {
        "verify_waivers": [
            {"check": check, "reason": "there is none here", "expires": "2099-12-31"}
            for check in ("gateway", "sessions", "session", "agents", "log")
        ]
    }
)


def test_what_was_changed_by_hand_is_put_right(applications: Applications) -> None:
    """What an operator edits in place of the inventory: told, replaced through the gate, kept aside.

    By repair.yml, which deploys because a remedy says so, and does itself what a host can do.
    """
    before, frontend = current(), started("frontend")
    path = f"{ROOT}/current/backend/.env"
    wanted = on_host(f"cat {path}")
    on_host(
        f"sed -i 's|^CORS_ORIGINS=.*|&/|' {path}; chmod 644 {path}; echo '# x' >> {ROOT}/backend/app/main.py;"
        f"echo '# x' >> {ROOT}/shared/libexec/serve.py; echo x >> /usr/local/bin/mission-control;"
        "REDISCLI_AUTH=$(cat /var/lib/mission-control/redis-password) redis-cli config set appendonly no;"
        f"systemctl --user -M {USER}@ stop mission-control-worker"
    )
    told = (
        "backend/.env was changed (CORS_ORIGINS)",
        "backend/.env has mode 0644, others can read it",
        "backend/app/main.py was changed",
    )
    predicted = play("deploy.yml", "--check", "--diff", source=applications.get("upgraded"))
    assert predicted.returncode == 0, predicted.output
    for text in (*told, "write shared/libexec/serve.py", "Install or remove the host command"):
        assert text in predicted.words
    state = on_host(f"systemctl --user -M {USER}@ is-active mission-control-worker || true")
    assert (current(), state) == (before, "inactive")
    done = play("repair.yml", "-e", WITHOUT_GATEWAY, source=applications.get("upgraded"))
    assert done.returncode == 0, done.output
    # The host has closed the settings before the deployment looks.
    for text in (told[0], told[2], "did: start mission-control-worker", "did: take the settings' rights"):
        assert text in done.words
    NAMES["upgraded"] = current()
    assert on_host(f"cat {path}; stat -c %a {path}") == f"{wanted}\n600"
    assert "# x" not in on_host(f"tail -1 {ROOT}/shared/libexec/serve.py")
    asked = "REDISCLI_AUTH=$(cat /var/lib/mission-control/redis-password) redis-cli config get appendonly"
    assert on_host(asked).split() == ["appendonly", "yes"]
    assert runs_from("backend") == runs_from("worker") == current() != before
    assert started("frontend") == frontend and outcome(current()) == "verified"
    assert releases()[before]["outcome"]["reason"].startswith(
        "it was changed after it was deployed: backend/.env"
    )
    assert "CORS_ORIGINS=" in on_host(f"grep '/$' {ROOT}/releases/{before}/backend/.env")
    again = play("repair.yml", "-e", WITHOUT_GATEWAY, source=applications.get("upgraded"))
    assert again.returncode == 0 and again.counts["changed"] == 0 and current() == NAMES["upgraded"]


def held() -> bool:
    """Whether a deployment has shown the host that it lives."""
    return (
        on_host("flock -n /var/lib/mission-control/deployment-mission-control.json true || echo held")
        == "held"
    )


@pytest.mark.full
def test_two_deployments_are_kept_apart_and_the_lock_ends_with_its_holder(applications: Applications) -> None:
    """One is refused, one waits; the one that works is killed, and nobody has to remove anything."""
    source = applications.get("upgraded")
    at_once = ("-e", "deployment_lock_timeout=0")
    with start("deploy.yml", source=source) as first:
        until(held)
        # Side by side: one after the other they could take longer than the first.
        with (
            start("deploy.yml", *at_once, source=source) as second,
            start("deploy.yml", source=source) as third,
        ):
            assert third.stdout is not None
            said = next(line for line in third.stdout if "Waiting for another deployment on releases" in line)
            refusal = second.communicate()[0]
            assert first.poll() is None
            first.kill()
            first.communicate()
            output = third.communicate()[0]
    refused = Played(second.returncode, ANSI.sub("", refusal))
    assert refused.returncode != 0 and refused.counts["changed"] == 0
    assert "Another deployment works on releases: deploy by " in refused.words
    assert f"while release {NAMES['upgraded']} serves, since 20" in refused.words
    assert "deploy by " in said and third.returncode == 0, output
    assert [line["result"] for line in history()][-2:] == ["interrupted", "unchanged"]


def test_unknown_release_is_told_with_the_known_ones() -> None:
    done = play("rollback.yml", "-e", "release=nonsense")
    assert done.returncode != 0
    assert "release: nonsense is not a release of this host" in done.words
    assert f"{NAMES['plain']} (verified)" in done.words
    assert f"{NAMES['upgraded']} (current, verified)" in done.words
    assert current() == NAMES["upgraded"]


def test_rollback_predicted() -> None:
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
    for words in ("deployed", "nothing to do", "rolled back"):
        assert words in done.output
    assert ("INTERRUPTED" in done.output) == any(line["result"] == "interrupted" for line in history())
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


@pytest.mark.full
def test_release_that_crashes(applications: Applications) -> None:
    said = refused(applications, "crashing")
    assert "mission-control-backend.service of mission-control does not run" in said
    assert "made to crash" in said and f"Release {NAMES['plain']} serves again" in said
    assert outcome(NAMES["crashing"]) == "failed"


def backups() -> list[str]:
    return sorted(on_host(f"find {ROOT}/shared/backups -type f -printf '%M %p\\n'").splitlines())


def test_failing_migration(applications: Applications) -> None:
    process = started("backend")
    # The first deployment found an empty database and took none.
    assert backups() == []
    said = refused(applications, "broken_migration")
    assert 'relation "boards" already exists' in said and "the schema is as before" in said
    assert schema() == HEAD
    assert started("backend") == process
    told = releases()[NAMES["broken_migration"]]["outcome"]
    assert told["state"] == "failed" and told["by"]
    assert told["reason"].startswith("migration: ") and "already exists" in told["reason"]
    line = history()[-1]
    assert (line["result"], line["release"]) == ("failed", NAMES["broken_migration"])
    assert line["failed_task"].endswith("Migrate the database") and line["current"] == NAMES["plain"]
    (taken,) = backups()
    assert taken.startswith("-rw-------") and taken.endswith(f"-{HEAD}.dump")


@pytest.mark.full
def test_check_mode_is_honest_about_migrations(applications: Applications) -> None:
    done = play("deploy.yml", "--check", "--diff", source=applications.get("migrated"))
    assert done.returncode == 0, done.output
    assert "The new source may bring migrations: which ones is known once it is on the host." in done.words
    # Of a source that is there it is known, though its release would have to be made anew.
    done = play("deploy.yml", "--check", "--diff", source=applications.get("broken_migration"))
    assert f"apply {NEWER}: Add labels." in done.words


def test_migration_and_pruning(applications: Applications) -> None:
    deploy(applications, "migrated", "-e", "release_kept=1")
    assert schema() == NEWER
    # Left are one that did not fail, the one that the frontend runs from, and the last one that failed.
    left = set(releases())
    assert {NAMES["migrated"], NAMES["plain"], NAMES["broken_migration"]} <= left
    assert not {NAMES["upgraded"], NAMES["unhealthy"], NAMES.get("crashing")} & left


def test_rollback_over_a_migration_asks_what_to_do_with_the_database() -> None:
    """The frontend still runs from the first release, which is why that was not pruned."""
    done = play("rollback.yml", "-e", f"release={NAMES['plain']}")
    assert done.returncode != 0
    assert f"The database is at {NEWER}, which release {NAMES['plain']} does not know" in done.words
    for way in ("keep", "downgrade", "restore"):
        assert f"-e schema={way} " in done.words
    assert f"with the code of release {NAMES['migrated']}" in done.words and f"-{HEAD}.dump" in done.words
    assert (
        play("rollback.yml", "-e", "schema=guess").words.count('schema: "guess" is not a valid choice.') > 0
    )
    assert current() == NAMES["migrated"] and healthy()


@pytest.mark.full
def test_rollback_of_the_code_alone() -> None:
    done = play("rollback.yml", "-e", f"release={NAMES['plain']}", "-e", "schema=keep")
    assert done.returncode == 0, done.output
    assert current() == NAMES["plain"] and healthy() and schema() == NEWER
    assert history()[-1]["schema"] == {"way": "keep"}


def test_rollback_that_takes_migrations_back() -> None:
    """Also of the release that serves already: it brings the database to it."""
    to = ("-e", f"release={NAMES['plain']}", "-e", "schema=downgrade")
    before, process = backups(), started("backend")
    done = play("rollback.yml", *to, "--check", "--diff")
    assert done.returncode == 0, done.output
    assert f"take back {NEWER}: Add labels." in done.words
    assert (schema(), backups(), started("backend")) == (NEWER, before, process)
    done = play("rollback.yml", *to)
    assert done.returncode == 0, done.output
    assert current() == NAMES["plain"] and healthy() and schema() == HEAD
    assert sql("select to_regclass('labels')") == ""
    (taken,) = [line for line in backups() if line not in before]
    assert taken.endswith(f"-{NEWER}.dump")
    told = history()[-1]["schema"]
    assert (told["way"], told["taken_back"]) == ("downgrade", [NEWER]) and taken.endswith(told["backup"])


@pytest.mark.full
def test_rollback_that_restores_the_backup(applications: Applications) -> None:
    deploy(applications, "migrated")
    sql("insert into labels values (gen_random_uuid())")
    before = backups()
    to = ("-e", f"release={NAMES['plain']}", "-e", "schema=restore")
    done = play("rollback.yml", *to, "--check", "--diff")
    assert done.returncode == 0 and "keep what is there as public_before_" in done.words, done.output
    assert (schema(), backups(), healthy()) == (NEWER, before, True)
    done = play("rollback.yml", *to)
    assert done.returncode == 0, done.output
    assert current() == runs_from("backend") == NAMES["plain"] and healthy() and schema() == HEAD
    told = history()[-1]["schema"]
    assert told["way"] == "restore" and told["restored"].endswith(f"-{HEAD}.dump")
    # What was written since is in the database still, and in a backup.
    assert sql(f"select count(*) from {told['kept']}.labels") == "1"
    assert any(line.endswith(told["backup"]) for line in backups()) and told["backup"].endswith(
        f"-{NEWER}.dump"
    )


@pytest.fixture(scope="module")
def frontend_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Arguments with which another host, which is left alone, runs the frontend."""
    path = tmp_path_factory.mktemp("inventory") / "elsewhere.yml"
    here = {"hosts": {"releases": None}}
    parts = {f"mission_control_{part}": here for part in ("postgresql", "redis", "backend", "worker")}
    parts["mission_control_frontend"] = {"hosts": {"elsewhere": None}}
    path.write_text(json.dumps({"mission_control": {"children": parts}}))
    return "-i", str(path), "--limit", "releases"


def frontend() -> str:
    """Whether the frontend is enabled and runs; nothing where there is none."""
    return on_host(
        f"systemctl --user -M {USER}@ list-unit-files --no-legend 'mission-control-frontend.*' | tr -s ' '; "
        f"systemctl --user -M {USER}@ list-units --no-legend 'mission-control-frontend.*'"
    )


@pytest.mark.full
def test_going_back_to_a_release_without_the_frontend_stops_it(
    applications: Applications, frontend_elsewhere: tuple[str, ...]
) -> None:
    assert "mission-control-frontend.socket enabled" in frontend()
    deploy(applications, "plain", *frontend_elsewhere)
    NAMES["partial"] = current()
    assert releases()[current()]["components"] == ["backend", "worker"] and not frontend()
    said = refused(applications, "unhealthy")
    assert f"Release {NAMES['partial']} serves again. It has no frontend, which nobody serves" in said
    assert not frontend()


@pytest.mark.full
def test_a_rollback_does_not_take_the_frontend_away(applications: Applications) -> None:
    deploy(applications, "upgraded")
    assert "mission-control-frontend.socket enabled" in frontend()
    before = [started(part) for part in ("backend", "worker", "frontend")]
    for arguments in ((), ("--check",), ("-e", f"release={NAMES['partial']}")):
        done = play("rollback.yml", *arguments)
        assert done.returncode != 0 and done.counts["changed"] == 0, done.output
        assert f"release: {NAMES['partial']} has no frontend, which the inventory has run" in done.words
        assert "mission_control_revision: " in done.words and "group mission_control_frontend" in done.words
    assert current() == NAMES["upgraded"]
    assert [started(part) for part in ("backend", "worker", "frontend")] == before
    lines = [line for line in play("releases.yml").output.splitlines() if NAMES["partial"] in line]
    assert len(lines) == 1 and "verified" in lines[0] and "a rollback leads here" not in lines[0]


@pytest.mark.full
def test_a_rollback_that_does_not_pass_leads_back(frontend_elsewhere: tuple[str, ...]) -> None:
    """The frontend is taken from the host, and the older release has been damaged meanwhile."""
    environment = f"{ROOT}/releases/{NAMES['partial']}/backend/.env"
    on_host(f"sed -i 's,^LOCAL_AUTH_TOKEN=.*,LOCAL_AUTH_TOKEN={'another-token-' * 5},' {environment}")
    done = play("rollback.yml", *frontend_elsewhere, *SOON)
    assert done.returncode != 0
    assert f"Release {NAMES['partial']} did not pass: " in done.words
    assert f"Release {NAMES['upgraded']} serves again." in done.words
    assert current() == runs_from("backend") == runs_from("worker") == NAMES["upgraded"] and healthy()
    assert (outcome(NAMES["upgraded"]), outcome(NAMES["partial"])) == ("verified", "failed")
    assert "mission-control-frontend.socket enabled" in frontend()
    line = history()[-1]
    assert (line["action"], line["result"]) == ("rollback", "returned") and line["failed_checks"]
    assert (line["release"], line["current"]) == (NAMES["partial"], NAMES["upgraded"])


def test_uninstall() -> None:
    done = play("uninstall.yml", "-e", "drop_database=another")
    assert done.returncode != 0 and "another is not the name of the database" in done.words and healthy()
    done = play("uninstall.yml")
    assert done.returncode == 0, done.output
    assert (
        f"Left: {ROOT}/shared/identity, {ROOT}/shared/backups, the history, the database, Redis, "
        f"the user {USER}, packages, the gateway's data of the user openclaw, the user openclaw."
        in done.output
    )
    assert on_host(f"cd {ROOT}; echo *; cd shared; echo *").splitlines() == [
        "shared",
        "backups history.jsonl identity",
    ]
    assert "mission-control" not in on_host(f"ls /home/{USER}/.config/systemd/user")
    assert not healthy()
    assert (history()[-1]["action"], history()[-1]["result"]) == ("uninstall", "removed")
    assert play("uninstall.yml").counts["changed"] == 0
