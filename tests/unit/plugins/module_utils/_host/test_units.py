# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import units
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.unit_status import unit_status

CONTENT = "[Service]\nType=notify\nExecStart=/bin/x\n"
SERVICE = units.wanted_unit("app", CONTENT, True, "started", "release-1")
SOCKET = units.wanted_unit("app.socket", "[Socket]\nListenStream=8000\n", True)


def found(wanted: units.WantedUnit, **changes: Any) -> units.FoundUnit:
    """A unit as it is when everything is as wanted."""
    properties = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
        "Type": "notify",
        "MainPID": "7",
        "ExecMainStartTimestamp": "@2000",
        "ActiveEnterTimestamp": "@2000",
    }
    properties |= changes.pop("properties", {})
    base = units.FoundUnit(
        text=wanted.text,
        written=1000.5,
        status=unit_status(wanted.name, properties),
        running_digest=wanted.digest if wanted.kind == ".service" else None,
    )
    return replace(base, **changes)


def planned(wanted: Sequence[units.WantedUnit], **states: units.FoundUnit) -> list[tuple[str, str]]:
    by_name = {name.replace("__", "."): state for name, state in states.items()}
    return [(action.action, action.unit) for action in units.plan(wanted, by_name)]


def test_nothing_to_do() -> None:
    assert planned([SOCKET, SERVICE], app__socket=found(SOCKET), app__service=found(SERVICE)) == []


def test_a_new_unit_is_installed_enabled_and_started() -> None:
    assert planned([SERVICE]) == [
        ("install", "app.service"),
        ("enable", "app.service"),
        ("start", "app.service"),
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"text": "older\n"}, ["update"]),
        ({"text": "older\n", "running_digest": "older"}, ["update", "restart"]),
        # Interrupted after writing: the file is right, the process is older.
        ({"running_digest": "older"}, ["restart"]),
        # Adopted: a process that knows no digest is judged by its file, then by the times.
        ({"text": "older\n", "running_digest": None}, ["update", "restart"]),
        ({"running_digest": None, "written": 3000.0}, ["restart"]),
        ({"running_digest": None}, []),
        # In the same second: the file may be a moment younger than the process that it started.
        ({"running_digest": None, "written": 2000.9}, []),
        ({"properties": {"UnitFileState": "disabled"}}, ["enable"]),
        ({"properties": {"ActiveState": "inactive"}, "running_digest": None}, ["start"]),
        ({"properties": {"ActiveState": "failed"}, "running_digest": None}, ["start"]),
        ({"properties": {"ActiveState": "activating", "SubState": "start"}}, ["start"]),
        ({"properties": {"ActiveState": "activating"}, "running_digest": "older"}, ["restart"]),
        ({"properties": {"NeedDaemonReload": "yes"}}, ["reload"]),
        # Writing a file reloads anyway.
        ({"text": "older\n", "properties": {"NeedDaemonReload": "yes"}}, ["update"]),
    ],
)
def test_one_service(changes: dict[str, Any], expected: list[str]) -> None:
    assert [kind for kind, _unit in planned([SERVICE], app__service=found(SERVICE, **changes))] == expected


@pytest.mark.parametrize(
    ("state", "active", "expected"),
    [
        ("stopped", "active", ["stop"]),
        ("stopped", "inactive", []),
        ("stopped", "activating", ["stop"]),
        ("restarted", "active", ["restart"]),
        ("restarted", "inactive", ["start"]),
        ("present", "active", []),
        ("present", "inactive", []),
        ("absent", "active", ["stop", "disable", "remove"]),
        ("absent", "inactive", ["disable", "remove"]),
    ],
)
def test_states(state: str, active: str, expected: list[str]) -> None:
    wanted = replace(SERVICE, state=state)
    status = found(SERVICE, properties={"ActiveState": active})
    assert [kind for kind, _unit in planned([wanted], app__service=status)] == expected


def test_what_is_absent_already_stays_so() -> None:
    assert planned([replace(SERVICE, state="absent", content=None)]) == []


def test_units_without_content_keep_their_file_and_their_process() -> None:
    wanted = units.wanted_unit("app")
    assert wanted.text is None and wanted.digest is None
    status = found(SERVICE, running_digest="older", written=9000.0)
    assert planned([wanted], app__service=status) == []


def test_content_and_what_it_depends_on_both_change_the_digest() -> None:
    assert SERVICE.digest != replace(SERVICE, restart_on="release-2").digest
    assert SERVICE.digest != replace(SERVICE, content=CONTENT + "Nice=1\n").digest
    # Blank lines at the ends, which templates leave, are no change.
    assert SERVICE.digest == replace(SERVICE, content="\n" + CONTENT + "\n\n").digest
    assert f"Environment={units.DIGEST_VARIABLE}={SERVICE.digest}" in (SERVICE.text or "")
    assert f"X-Mission-Control-Digest={SOCKET.digest}" in (SOCKET.text or "")


def test_a_socket_that_opens_anew_takes_its_service_along() -> None:
    actions = planned(
        [SOCKET, SERVICE], app__socket=found(SOCKET, text="older\n"), app__service=found(SERVICE)
    )
    assert actions == [
        ("stop", "app.socket"),
        ("stop", "app.service"),
        ("update", "app.socket"),
        ("restart", "app.socket"),
        ("start", "app.service"),
    ]


def test_a_service_that_held_its_port_itself_makes_way_for_the_socket() -> None:
    actions = planned([SOCKET, SERVICE], app__service=found(SERVICE))
    assert actions == [
        ("stop", "app.service"),
        ("install", "app.socket"),
        ("enable", "app.socket"),
        ("start", "app.socket"),
        ("start", "app.service"),
    ]


def test_starts_keep_the_given_order_and_stops_begin_with_sockets() -> None:
    worker = units.wanted_unit("worker", CONTENT, True, "stopped")
    socket = replace(SOCKET, state="stopped")
    service = replace(SERVICE, state="stopped")
    assert planned(
        [socket, service, worker],
        app__socket=found(SOCKET),
        app__service=found(SERVICE),
        worker__service=found(worker),
    ) == [("stop", "app.socket"), ("stop", "worker.service"), ("stop", "app.service")]
    started = [SERVICE, units.wanted_unit("worker", CONTENT), units.wanted_unit("a-last", CONTENT)]
    assert [unit for kind, unit in planned(started) if kind == "start"] == [
        "app.service",
        "worker.service",
        "a-last.service",
    ]


def test_a_target_is_not_restarted() -> None:
    target = units.wanted_unit("all.target", "[Unit]\nDescription=all\n")
    assert planned([target], all__target=found(target, text="older\n")) == [("update", "all.target")]


class FakeManager:
    """Answers like systemctl and notes the calls; `fails` maps a verb to a failure."""

    def __init__(self, shows: list[dict[str, str]], fails: dict[str, Completed] | None = None) -> None:
        self.shows = shows
        self.fails = fails or {}
        self.calls: list[str] = []

    def __call__(self, argv: Sequence[str], **_options: Any) -> Completed:
        if argv[0] == "journalctl":
            return Completed(tuple(argv), 0)
        verb = next(part for part in argv[1:] if not part.startswith("-"))
        if verb == "show":
            names = argv[argv.index("--") + 1 :]
            block = self.shows[0] if len(self.shows) == 1 else self.shows.pop(0)
            text = "".join(f"{key}={value}\n" for key, value in block.items())
            return Completed(tuple(argv), 0, "\n".join([text] * len(names)))
        self.calls.append(" ".join(argv[argv.index(verb) :]))
        return self.fails.get(verb, Completed(tuple(argv), 0))


@pytest.fixture
def account(tmp_path: Path) -> Any:
    return replace(find_account(), name="mc", home=str(tmp_path))


def make(
    account: Any, manager: FakeManager, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[units.Units, list[float]]:
    ticks: list[float] = []

    def sleep(seconds: float) -> None:
        ticks.append(seconds)

    made = units.Units(account, manager, clock=lambda: sum(ticks), sleep=sleep, **options)
    monkeypatch.setattr(type(made.manager), "running", True)
    monkeypatch.setattr(units, "tail", lambda *_arguments, **_options: ["last words"])
    return made, ticks


ACTIVE = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Type": "notify"}


def test_apply_writes_all_files_then_reloads_enables_and_starts(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = FakeManager([ACTIVE])
    made, ticks = make(account, manager, monkeypatch)
    statuses = made.apply([SOCKET, SERVICE], units.plan([SOCKET, SERVICE], {}))
    assert statuses["app.service"].active
    assert manager.calls == [
        "daemon-reload",
        "enable --quiet app.socket app.service",
        "reset-failed --quiet app.socket app.service",
        "start app.socket",
        "start app.service",
    ]
    assert ticks == []
    path = Path(account.home) / ".config/systemd/user/app.service"
    assert path.read_text() == SERVICE.text
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["app.service", "app.socket"]


def test_what_a_killed_run_left_of_a_unit_goes_with_the_next_write(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = Path(account.home) / ".config/systemd/user"
    directory.mkdir(parents=True)
    (directory / ".app.service.x7k2m1qz").write_text("half")
    (directory / ".other.service.x7k2m1qz").write_text("somebody else's")
    made, _ticks = make(account, FakeManager([ACTIVE]), monkeypatch)
    made.apply([SERVICE], units.plan([SERVICE], {}))
    left = sorted(entry.name for entry in directory.iterdir())
    assert left == [".other.service.x7k2m1qz", "app.service"]


def test_a_write_that_fails_leaves_no_unit_behind(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Path(account.home) / ".config/systemd/user"
    (directory / "app.service").mkdir(parents=True)
    made, _ticks = make(account, FakeManager([ACTIVE]), monkeypatch)
    with pytest.raises(OSError):
        made.apply([SERVICE, SOCKET], units.plan([SERVICE, SOCKET], {}))
    assert [entry.name for entry in directory.iterdir()] == ["app.service"]


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "203"}, "could not be executed"),
        ({"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "3"}, "ended with status 3"),
        (
            {"Result": "exit-code", "ExecMainCode": "0", "ExecMainStatus": "0"},
            "a command of its start failed",
        ),
        ({"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "9"}, "killed by signal 9"),
        ({"Result": "timeout"}, "not ready within"),
        ({"Result": "watchdog"}, "hangs"),
        ({"Result": "start-limit-hit"}, "too often"),
        ({"LoadState": "not-found"}, "no such unit"),
        ({"LoadState": "bad-setting"}, "cannot be used (bad-setting): Job failed"),
    ],
)
def test_a_start_that_fails_says_why(
    account: Any, monkeypatch: pytest.MonkeyPatch, properties: dict[str, str], words: str
) -> None:
    failed = ACTIVE | {"ActiveState": "failed", "SubState": "failed"} | properties
    manager = FakeManager([failed], {"start": Completed((), 1, "", "Job failed.\n")})
    made, _ticks = make(account, manager, monkeypatch)
    with pytest.raises(units.UnitError) as caught:
        made.apply([SERVICE], units.plan([SERVICE], {}))
    assert words in caught.value.message
    assert caught.value.journal == ["last words"]
    assert caught.value.unit == "app.service"


def test_a_service_without_readiness_has_to_stay_up(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    simple = ACTIVE | {"Type": "simple"}
    dead = simple | {
        "ActiveState": "failed",
        "Result": "exit-code",
        "ExecMainCode": "1",
        "ExecMainStatus": "1",
    }
    made, ticks = make(account, FakeManager([simple]), monkeypatch, settle=1.0)
    made.apply([SERVICE], units.plan([SERVICE], {}))
    assert sum(ticks) == pytest.approx(1.0, abs=0.11)
    made, _ticks = make(account, FakeManager([simple, simple, dead]), monkeypatch, settle=1.0)
    with pytest.raises(units.UnitError, match="ended with status 1"):
        made.apply([SERVICE], units.plan([SERVICE], {}))


def test_a_service_that_is_started_again_and_again_has_failed(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = ACTIVE | {"NRestarts": "1", "Result": "success"}
    made, _ticks = make(account, FakeManager([again]), monkeypatch)
    with pytest.raises(units.UnitError, match="does not run"):
        made.apply([SERVICE], units.plan([SERVICE], {}))


def test_a_unit_that_never_becomes_active_ends_at_the_deadline(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = ACTIVE | {"ActiveState": "activating", "SubState": "start"}
    made, ticks = make(account, FakeManager([waiting]), monkeypatch, timeout=5.0)
    with pytest.raises(units.UnitError, match="activating"):
        made.apply([SERVICE], units.plan([SERVICE], {}))
    assert sum(ticks) == pytest.approx(5.0, abs=0.2)


def test_a_oneshot_that_is_done_is_fine(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done = {"LoadState": "loaded", "ActiveState": "inactive", "Type": "oneshot", "Result": "success"}
    made, _ticks = make(account, FakeManager([done]), monkeypatch)
    assert made.apply([SERVICE], units.plan([SERVICE], {}))["app.service"].active_state == "inactive"


def test_masked_units_are_left_masked(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Path(account.home) / ".config/systemd/user"
    directory.mkdir(parents=True)
    (directory / "app.service").symlink_to("/dev/null")
    made, _ticks = make(account, FakeManager([{"LoadState": "masked"}]), monkeypatch)
    state = made.find(["app.service"])
    with pytest.raises(HostError, match="masked") as caught:
        made.check([SERVICE], state)
    assert "unmask app.service" in caught.value.remedy
    made.check([replace(SERVICE, state="absent")], state)
