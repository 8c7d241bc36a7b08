"""Secrets changed on one host, in the order of the tests. The data stays."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from asking_users import Users
from releases_support import (
    ROOT,
    USER,
    Applications,
    Data,
    assert_healthy,
    current,
    data,
    history,
    on_host,
    outcome,
    releases,
    runs_from,
)
from rotation_support import (
    Installation,
    database_session,
    device,
    gateway_token,
    in_use,
    let_in,
    paired,
    registered_token,
    status,
)

testinfra_hosts = ["rotation"]
OPEN = {"token": True, "database": True, "redis": True}
CLOSED = {"token": False, "database": False, "redis": False}
DROP_IN = f"/home/{USER}/.config/systemd/user/mission-control-backend.service.d/99-test.conf"


@pytest.fixture(autouse=True)
def nothing_is_lost(written: Data) -> Iterator[None]:
    """Whatever a test does, the data stays."""
    yield
    now = data()
    assert (now.boards, now.tasks) == (written.boards, written.tasks)


def kept() -> str:
    """Where generated passwords are kept, and what was made for a rotation."""
    return on_host("ls /var/lib/mission-control | grep password")


def test_two_releases_to_go_between(installation: Installation, applications: Applications) -> None:
    for name in ("plain", "upgraded"):
        done = installation.play("deploy.yml", source=applications.get(name))
        assert done.returncode == 0, done.output
    assert let_in(in_use()) == OPEN


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "secret: is not set. Use -e secret=token, database, redis, gateway, identity or all."),
        (("-e", "secret=tokens"), '"tokens" is not a valid choice.'),
        (("-e", "secret=token"), "mission_control_token is the one that is in use."),
        (("-e", "secret=token", "-e", "mission_control_token=short"), "has 5 characters"),
        (("-e", "secret=gateway", "-e", "mission_control_gateway_token=short"), "gateway_token"),
        (
            ("-e", "secret=database", "-e", "mission_control_database_password=a%b"),
            "mission_control_database_password",
        ),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_changed(
    installation: Installation, arguments: tuple[str, ...], said: str
) -> None:
    before = current(), len(history()), in_use(), kept()
    done = installation.play("rotate.yml", *arguments)
    assert done.returncode != 0 and said in done.words, done.output
    assert (current(), len(history()), in_use(), kept()) == before


def test_check_mode_says_what_it_would_do(installation: Installation) -> None:
    before = current(), len(history()), in_use(), kept()
    done = installation.play("rotate.yml", "-e", "secret=database", "--check")
    assert done.returncode == 0 and "Would rotate: database." in done.words, done.output
    assert (current(), len(history()), in_use(), kept()) == before


def test_all_while_users_ask(installation: Installation) -> None:
    before, old = in_use(), current()
    gateway, known = gateway_token(), device()
    installation.token = installation.new_token()
    # Somebody who has the old password, and is in.
    foreign = database_session(before.database)
    with Users(status, (before.token, installation.token)) as users:
        done = installation.play("rotate.yml", "-e", "secret=all")
    assert done.returncode == 0, done.output
    # It would take the password back.
    said = foreign.communicate(f"ALTER ROLE mission_control PASSWORD '{before.database}';\n", timeout=60)[0]
    assert "ALTER ROLE" not in said and "terminating connection" in said
    assert users.problems == [] and users.asked > 20
    print(f"{users.asked} requests, none refused; the longest took {users.longest:.1f} s")
    now = in_use()
    assert set(now.all).isdisjoint(before.all) and now.token == installation.token
    assert (let_in(before), let_in(now)) == (CLOSED, OPEN)
    assert outcome(current()) == "verified" and releases()[current()]["renewed_from"] == old
    assert runs_from("backend") == runs_from("worker") == current()
    line = history()[-1]
    assert (line["action"], line["result"]) == ("rotate", "rotated")
    assert line["rotated"] == ["token", "database", "redis", "gateway", "identity"]
    assert gateway_token() == registered_token() != gateway
    assert device() != known and device() in paired() and known not in paired()
    assert kept().split() == ["database-password", "redis-password"]
    assert_healthy()
    # Neither the old nor the new ones are told to anybody.
    told = done.output + on_host(
        f"cat {ROOT}/shared/history.jsonl {ROOT}/shared/log/*; journalctl --no-pager --since -15min"
    )
    assert [secret for secret in (*before.all, *now.all, gateway, gateway_token()) if secret in told] == []


def test_a_deployment_then_has_nothing_to_do(installation: Installation, applications: Applications) -> None:
    before = current()
    done = installation.play("deploy.yml", source=applications.get("upgraded"))
    assert done.returncode == 0, done.output
    assert (current(), history()[-1]["result"]) == (before, "unchanged")
    assert let_in(in_use()) == OPEN


def test_a_rollback_takes_the_code_back_and_not_the_secrets(installation: Installation) -> None:
    before, left = in_use(), current()
    done = installation.play("rollback.yml")
    assert done.returncode == 0, done.output
    assert "are not what the installation uses now" in done.words
    assert "DATABASE_URL, LOCAL_AUTH_TOKEN and RQ_REDIS_URL of release" in done.words
    assert "UPGRADED" not in on_host(f"cat {ROOT}/current/backend/app/main.py")
    assert in_use() == before and let_in(before) == OPEN and outcome(current()) == "verified"
    # There and back.
    done = installation.play("rollback.yml", "-e", f"release={left}")
    assert done.returncode == 0 and current() == left, done.output


@pytest.mark.parametrize("name", ["gateway", "identity"])
def test_one_alone(installation: Installation, name: str) -> None:
    release, gateway, known = current(), gateway_token(), device()
    done = installation.play("rotate.yml", "-e", f"secret={name}")
    assert done.returncode == 0, done.output
    assert (gateway_token() != gateway, device() != known) == (name == "gateway", name == "identity")
    assert current() == release and history()[-1]["rotated"] == [name]


def test_a_rotation_that_fails_leaves_everything_as_it_was(installation: Installation) -> None:
    before, release, files = in_use(), current(), kept()
    condition = f'[Service]\nExecStartPre=/bin/sh -c "readlink {ROOT}/current | grep -q {release}"\n'
    as_user = f"runuser -u {USER} --"
    on_host(
        f"{as_user} mkdir -p {DROP_IN.rpartition('/')[0]} && {as_user} tee {DROP_IN} >/dev/null", condition
    )
    on_host(f"systemctl --user -M {USER}@ daemon-reload")
    new, gateway, known = Installation(installation.new_token()), gateway_token(), device()
    done = new.play("rotate.yml", "-e", "secret=all", "-e", "release_start_timeout=20")
    on_host(f"{as_user} rm {DROP_IN} && systemctl --user -M {USER}@ daemon-reload")
    assert done.returncode != 0 and f"Release {release} serves again." in done.words, done.output
    assert (in_use(), current(), kept()) == (before, release, files)
    assert (gateway_token(), device()) == (gateway, known)
    assert let_in(before) == OPEN and status(new.token) == 401
    assert history()[-1]["result"] == "returned"
    assert_healthy()


@pytest.mark.parametrize(
    "task",
    [
        "Have the server take both",
        "Have the application's role log in with another password",
        "Have the services run from the release",
        "Note that the release is verified",
        "Have the server ask for the password",
    ],
)
def test_an_interrupted_rotation_is_completed_by_the_next(installation: Installation, task: str) -> None:
    before = in_use()
    assert let_in(before) == OPEN
    installation.token = installation.new_token()
    with installation.start("rotate.yml", "-e", "secret=all") as process:
        for line in process.stdout or ():
            if line.startswith("TASK [") and task in line:
                process.send_signal(signal.SIGKILL)
                break
        else:
            pytest.fail(f"no task {task}")
    done = installation.play("rotate.yml", "-e", "secret=all")
    assert done.returncode == 0, done.output
    now = in_use()
    assert set(now.all).isdisjoint(before.all) and now.token == installation.token
    assert (let_in(before), let_in(now)) == (CLOSED, OPEN)
    assert kept().split() == ["database-password", "redis-password"]
    assert [line["result"] for line in history()[-2:]] == ["interrupted", "rotated"]
