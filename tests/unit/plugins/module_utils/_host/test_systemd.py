# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    errors,
    systemd,
    unit_names,
    unit_status,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from hypothesis import given
from hypothesis import strategies as st

# `systemctl --user show --timestamp=unix -- demo.service nothere.service` on Debian 13.
RECORDED = (Path(__file__).parents[4] / "fixtures/systemctl-show.txt").read_text()
MC = Account("mc", 1000, 1000, "/home/mc", "/bin/bash", (1000,))


@pytest.fixture
def root() -> Iterator[Path]:
    # The name of a socket may have 107 characters, which pytest's own directories can exceed.
    with tempfile.TemporaryDirectory(prefix="mc") as directory:
        yield Path(directory)


def lingering_root(root: Path, *, linger: bool, running: bool) -> Path:
    """A root directory in which mc lingers and has a manager that listens, one that has ended, or none."""
    if linger:
        (root / "var/lib/systemd/linger").mkdir(parents=True)
        (root / "var/lib/systemd/linger/mc").touch()
        (root / "run/user/1000/systemd").mkdir(parents=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(root / "run/user/1000/systemd/private"))
        if running:
            server.listen()
            SERVERS.append(server)
        else:
            server.close()
    return root


SERVERS: list[socket.socket] = []


@pytest.fixture(autouse=True)
def close_servers() -> Iterator[None]:
    yield
    while SERVERS:
        SERVERS.pop().close()


class Recorder:
    def __init__(self, *answers: Completed) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[list[str], Account | None]] = []

    def __call__(self, argv: Sequence[str], *, account: Account | None = None, **_options: Any) -> Completed:
        self.calls.append((list(argv), account))
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("mission-control-backend", "mission-control-backend.service"),
        ("mission-control-backend.socket", "mission-control-backend.socket"),
        ("user@1000", "user@1000.service"),
        ("node.js", "node.js.service"),
    ],
)
def test_unit_names(name: str, full: str) -> None:
    assert unit_names.unit_name(name) == full


def test_a_running_and_a_missing_unit_as_recorded() -> None:
    running, missing = systemd.parse_show(RECORDED)
    status = unit_status.unit_status("demo.service", running)
    assert status.active and status.exists and not status.failed
    assert (status.type, status.sub_state, status.result) == ("simple", "running", "success")
    assert status.main_pid == 156
    assert status.restarts == 0
    assert status.since == status.started == 1795535445.0
    assert status.invocation_id == "4b6fa3a88bfe470c89c9c688c91b4156"
    assert status.fragment_path == "/home/mc/.config/systemd/user/demo.service"
    assert status.unit_file_state == "static"
    # A process that has not ended has no exit status; without the controllers there are no figures.
    assert (status.exit_code, status.exit_status) == (None, None)
    assert (status.memory_bytes, status.tasks) == (None, None)
    assert status.cpu_seconds == pytest.approx(0.007555)
    assert status.watchdog_seconds is None
    gone = unit_status.unit_status("nothere.service", missing)
    assert not gone.exists and not gone.active
    assert gone.main_pid == 0
    assert gone.since is None and gone.started is None


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (
            {"ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "203"},
            {"failed": True, "exit_code": "exited", "exit_status": 203},
        ),
        (
            {"ActiveState": "failed", "Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "9"},
            {"exit_code": "killed", "exit_status": 9},
        ),
        ({"ActiveState": "reloading"}, {"active": True}),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, {"active": False, "failed": False}),
        ({"NeedDaemonReload": "yes"}, {"need_daemon_reload": True}),
        ({"UnitFileState": "disabled"}, {"enabled": False}),
        ({"UnitFileState": "enabled"}, {"enabled": True}),
        ({"MemoryCurrent": "1048576", "TasksCurrent": "3"}, {"memory_bytes": 1048576, "tasks": 3}),
        ({"MemoryCurrent": "18446744073709551615"}, {"memory_bytes": None}),
        ({"WatchdogUSec": "1min 30s"}, {"watchdog_seconds": 90.0}),
        ({"Triggers": "a.service b.service"}, {"triggers": ["a.service", "b.service"]}),
    ],
)
def test_status_from_properties(properties: dict[str, str], expected: dict[str, Any]) -> None:
    values = unit_status.unit_status("x.service", properties).as_dict()
    assert {key: values[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("1min 30s", 90.0),
        ("2h", 7200.0),
        ("infinity", None),
        ("0", None),
        ("", None),
        ("soon", None),
    ],
)
def test_spans(text: str, seconds: float | None) -> None:
    assert unit_status.parse_span(text) == seconds


@given(
    st.lists(
        st.dictionaries(
            st.from_regex(r"[A-Z][A-Za-z]{0,10}", fullmatch=True),
            st.from_regex(r"[ -~]{0,20}", fullmatch=True),
            min_size=1,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_show_round_trips(blocks: list[dict[str, str]]) -> None:
    text = "\n\n".join("\n".join(f"{key}={value}" for key, value in block.items()) for block in blocks)
    assert systemd.parse_show(text + "\n") == blocks


def test_all_units_and_properties_in_one_call(root: Path) -> None:
    recorder = Recorder(Completed((), 0, RECORDED))
    manager = systemd.UserManager(MC, recorder, lingering_root(root, linger=True, running=True))
    shown = manager.show(["demo", "nothere.service"])
    assert list(shown) == ["demo.service", "nothere.service"]
    ((argv, account),) = recorder.calls
    assert argv[:2] == ["systemctl", "--user"]
    assert argv[-3:] == ["--", "demo.service", "nothere.service"]
    assert account is MC


def test_an_answer_that_lacks_a_unit_is_an_error(root: Path) -> None:
    recorder = Recorder(Completed((), 0, "Id=demo.service\n"))
    manager = systemd.UserManager(MC, recorder, lingering_root(root, linger=True, running=True))
    with pytest.raises(errors.HostError, match="did not describe"):
        manager.show(["demo", "other"])


@pytest.mark.skipif(os.geteuid() != 0, reason="the reasons differ for an ordinary user")
@pytest.mark.parametrize(
    ("linger", "running", "kind", "remedy"),
    [
        (False, False, "no_linger", "loginctl enable-linger mc"),
        (True, False, "manager_down", "systemctl start user@1000.service"),
    ],
)
def test_why_a_manager_is_not_there(root: Path, linger: bool, running: bool, kind: str, remedy: str) -> None:
    manager = systemd.UserManager(MC, Recorder(), lingering_root(root, linger=linger, running=running))
    with pytest.raises(systemd.ManagerError) as caught:
        manager.show(["demo"])
    assert caught.value.kind == kind
    assert remedy in caught.value.remedy


def test_a_look_at_a_manager_leaves_nothing_in_its_journal(root: Path) -> None:
    manager = systemd.UserManager(MC, Recorder(), lingering_root(root, linger=True, running=True))
    assert manager.running
    (server,) = SERVERS
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.accept()


def test_a_manager_whose_socket_the_kernel_does_not_list_is_asked_itself(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "listening_paths", set)
    assert systemd.UserManager(MC, Recorder(), lingering_root(root, linger=True, running=True)).running


def test_a_manager_that_dies_meanwhile_is_told_as_down(root: Path) -> None:
    answer = Completed(
        (), 1, "", "Failed to connect to user scope bus via local transport: Connection refused\n"
    )
    manager = systemd.UserManager(MC, Recorder(answer), lingering_root(root, linger=True, running=True))
    with pytest.raises(systemd.ManagerError, match="does not answer") as caught:
        manager.show(["demo"])
    assert caught.value.kind == "manager_down"


def test_a_manager_whose_directory_was_emptied_is_told_as_cut_off(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs, and cannot be asked: to start it does nothing."""
    answer = Completed((), 1, "", "Failed to connect to user scope bus via local transport: No such file\n")
    place = lingering_root(root, linger=True, running=True)
    manager = systemd.UserManager(MC, Recorder(answer), place)
    monkeypatch.setattr(systemd, "listening_paths", lambda: {str(manager.private_socket)})
    manager.private_socket.unlink()
    with pytest.raises(systemd.ManagerError, match="is gone") as caught:
        manager.show(["demo"])
    assert caught.value.kind == "manager_cut_off"
    assert caught.value.remedy.startswith(f"systemctl restart user@{MC.uid}.service")


def test_a_manager_that_does_not_answer_is_waited_for_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with SIGSTOP: its socket still takes connections."""
    monkeypatch.setattr(systemd, "_SILENT", {})
    asked: list[float] = []

    def hang(argv: Sequence[str], *, timeout: float = 60.0, **_: object) -> Completed:
        asked.append(timeout)
        raise errors.HostError(f"{argv[0]} did not finish within {timeout:g} s.", kind="timeout")

    place = lingering_root(root, linger=True, running=True)
    for _ in range(2):
        manager = systemd.UserManager(MC, hang, place)
        with pytest.raises(systemd.ManagerError, match="runs, but did not answer within 10 s") as caught:
            manager.show(["demo"])
        assert caught.value.kind == "manager_hangs"
        assert "--signal=SIGCONT user@1000.service" in caught.value.remedy
    assert asked == [systemd.LOOK_SECONDS]


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_another_ordinary_user_is_told_to_become_root(root: Path) -> None:
    manager = systemd.UserManager(MC, Recorder(), lingering_root(root, linger=True, running=True))
    os.seteuid(65534)
    try:
        with pytest.raises(systemd.ManagerError) as caught:
            manager.require()
    finally:
        os.seteuid(0)
    assert caught.value.kind == "not_permitted"
