"""States of services, the plan, and carrying it out, with systemd's answers as recorded texts."""

from __future__ import annotations

import dataclasses
import http.server
import threading
import time as clock
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import (
    components,
    service_order,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.listeners import Listener
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.processes import ProcessEvidence
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.systemd import UserManager
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import control
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import states as _states

ROOT = "/home/mc/mission-control"


def properties(**changes: str) -> dict[str, str]:
    base = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
        "Result": "success",
        "Type": "notify",
        "MainPID": "50",
        "NRestarts": "0",
        "ActiveEnterTimestamp": "@1000",
        "ExecMainStartTimestamp": "@999",
        "ExecMainStatus": "0",
        "NeedDaemonReload": "no",
    }
    return base | changes


def process(**changes: Any) -> ProcessEvidence:
    values: dict[str, Any] = {field.name: None for field in dataclasses.fields(ProcessEvidence)}
    values |= {"pid": 50, "rss_bytes": 1000, "cwd": f"{ROOT}/releases/new/backend", "deleted": False}
    return ProcessEvidence(**(values | changes))


def describe(**changes: Any) -> _states.ServiceState:
    values: dict[str, Any] = {
        "service": "backend",
        "properties": properties(),
        "socket_properties": {"LoadState": "not-found", "ActiveState": "inactive"},
        "processes": [process()],
        "listening": [],
        "root": ROOT,
        "current": "new",
    }
    return _states.describe(**(values | changes))


def test_a_running_service() -> None:
    listener = Listener("tcp", "0.0.0.0", 8000, 0, 50, (50,), "python", None)
    state = describe(
        processes=[process(), process(pid=51, rss_bytes=500)],
        listening=[listener, dataclasses.replace(listener, port=1, pids=(7,))],
    )
    assert (state.state, state.since, state.enabled, state.restarts) == ("running", 1000.0, True, 0)
    assert (state.release, state.stale, state.memory_bytes) == ("new", False, 1500)
    assert (state.ports, state.address, state.pid, state.socket) == ([8000], "0.0.0.0", 50, None)


def test_ports_that_are_not_known_are_not_said_to_be_closed() -> None:
    hidden = Listener("tcp", "0.0.0.0", 8000, 1000, None, (), "", None, unknown=True)
    state = describe(processes=[process(uid=1000)], listening=[hidden])
    assert (state.ports, state.ports_unknown) == ([], True)
    others = dataclasses.replace(hidden, uid=1001)
    assert not describe(processes=[process(uid=1000)], listening=[others]).ports_unknown


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"ActiveState": "inactive", "SubState": "dead"}, "stopped"),
        ({"ActiveState": "failed", "Result": "exit-code"}, "failed"),
        ({"ActiveState": "activating", "SubState": "start"}, "starting"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, "restarting"),
        ({"ActiveState": "activating", "SubState": "start", "NRestarts": "3"}, "restarting"),
        ({"ActiveState": "deactivating"}, "stopping"),
        ({"ActiveState": "reloading"}, "running"),
        ({"LoadState": "not-found", "ActiveState": "inactive"}, "not deployed"),
        ({"LoadState": "masked", "ActiveState": "inactive"}, "masked"),
    ],
)
def test_state_in_a_word(changes: dict[str, str], word: str) -> None:
    assert describe(properties=properties(**changes)).state == word


def test_a_stopped_service_shows_the_port_of_its_socket() -> None:
    socket = properties(
        Listen="[::]:8000 (Stream)\n/run/x (Stream)\n1.2.3.4:9 (Datagram)", UnitFileState="enabled"
    )
    state = describe(
        properties=properties(ActiveState="inactive", MainPID="0", UnitFileState="disabled"),
        socket_properties=socket,
        processes=[],
    )
    assert (state.ports, state.address, state.socket_active) == ([8000], "::", True)
    assert state.enabled, "an enabled socket starts it"
    assert state.memory_bytes is None and state.release is None


@pytest.mark.parametrize(
    ("evidence", "stale"),
    [
        (process(cwd=f"{ROOT}/releases/old/backend"), True),
        (process(deleted=True), True),
        (process(cwd="/somewhere"), False),
        (process(cwd=None), False),
    ],
)
def test_whether_the_deployed_release_runs(evidence: ProcessEvidence, stale: bool) -> None:
    assert describe(processes=[evidence]).stale is stale


def state(service: str, word: str, **more: Any) -> _states.ServiceState:
    return _states.ServiceState(service, components.service_unit(service), word, **more)


def planned(wanted: str, *states: _states.ServiceState) -> list[tuple[str, str]]:
    actions = control.plan({item.service: item for item in states}, wanted)
    assert all(action.reason and action.unit.endswith(".service") for action in actions)
    return [(action.service, action.action) for action in actions]


def test_order_of_the_plan() -> None:
    states = [state(name, "running") for name in ("frontend", "worker", "gateway", "backend")]
    up = [("gateway", "restart"), ("backend", "restart"), ("worker", "restart"), ("frontend", "restart")]
    assert planned("restarted", *states) == up
    down = [("frontend", "stop"), ("worker", "stop"), ("backend", "stop"), ("gateway", "stop")]
    assert planned("stopped", *states) == down
    assert planned("started", *states) == []


@pytest.mark.parametrize(
    ("wanted", "found", "action"),
    [
        ("started", state("worker", "stopped"), "start"),
        ("started", state("worker", "failed"), "start"),
        ("started", state("worker", "restarting"), "start"),
        ("restarted", state("worker", "stopped"), "start"),
        ("restarted", state("worker", "starting"), "restart"),
        ("restarted", state("worker", "restarting"), "restart"),
        ("started", state("worker", "starting"), "start"),
        ("started", state("backend", "running", socket="s", socket_active=False), "restart"),
        ("stopped", state("worker", "restarting"), "stop"),
        ("stopped", state("worker", "starting"), "stop"),
        ("stopped", state("backend", "stopped", socket="s", socket_active=True), "stop"),
        ("stopped", state("worker", "stopped"), None),
        ("stopped", state("worker", "failed"), None),
        ("stopped", state("backend", "stopped", socket="s", socket_active=False), None),
        ("started", state("backend", "running", socket="s", socket_active=True), None),
    ],
)
def test_what_a_state_needs(wanted: str, found: _states.ServiceState, action: str | None) -> None:
    assert planned(wanted, found) == ([(found.service, action)] if action else [])


@pytest.mark.parametrize(("word", "kind"), [("not deployed", "not_deployed"), ("masked", "unit_masked")])
@pytest.mark.parametrize("wanted", ["started", "stopped", "restarted"])
def test_what_cannot_be_done_is_said_before_anything_is(word: str, kind: str, wanted: str) -> None:
    with pytest.raises(control.ServiceError) as caught:
        planned(wanted, state("backend", "running"), state("worker", word))
    assert caught.value.kind == kind
    assert "mission-control-worker.service" in caught.value.message and caught.value.remedy


def test_names() -> None:
    assert components.service_unit("backend") == "mission-control-backend.service"
    assert service_order.socket_unit("backend") == "mission-control-backend.socket"
    assert components.service_unit("gateway") == "openclaw-gateway.service"
    assert service_order.ordered({"frontend", "backend"}, stopping=True) == ["frontend", "backend"]


@pytest.fixture
def server() -> Iterator[tuple[int, dict[str, int]]]:
    answers = {"/readyz": 200, "/": 307}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.get(self.path, 404))
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield httpd.server_port, answers
        httpd.shutdown()
        thread.join()


def test_fetch_says_why_there_is_no_answer(server: tuple[int, dict[str, int]]) -> None:
    port, _answers = server
    assert control.fetch("0.0.0.0", port, "/readyz", 5.0)[0] == 200
    status, reason = control.fetch("127.0.0.1", 1, "/", 5.0)
    assert status == 0 and "refused" in reason


class Systemd:
    """A manager that keeps units in memory and notes what it is asked."""

    def __init__(self, *, works: bool = True, after_start: dict[str, str] | None = None) -> None:
        self.calls: list[str] = []
        self.works = works
        self.after_start = after_start or {}
        self.units: dict[str, dict[str, str]] = {}
        self.pid = 100

    def __call__(self, argv: Sequence[str], **more: Any) -> Completed:
        verb = next(word for word in argv[1:] if not word.startswith("-"))
        names = list(argv[list(argv).index("--") + 1 :])
        if verb == "show":
            absent = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
            blocks = [
                "\n".join(f"{key}={value}" for key, value in self.units.get(name, absent).items())
                for name in names
            ]
            return Completed(tuple(argv), 0, "\n\n".join(blocks) + "\n")
        self.calls.append(f"{verb} {' '.join(names)}")
        if verb == "reset-failed":
            return Completed(tuple(argv), 0)
        if not self.works:
            return Completed(tuple(argv), 1, "", "Job failed.")
        for name in names:
            self.pid += 1
            changes = {"ActiveState": "inactive", "SubState": "dead", "MainPID": "0"}
            if verb != "stop":
                changes = {"ActiveState": "active", "SubState": "running", "MainPID": str(self.pid)}
                changes |= self.after_start
            self.units[name] = self.units[name] | changes
        return Completed(tuple(argv), 0)


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def no_journal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines = ["started", "RuntimeError: LOCAL_AUTH_TOKEN must be at least 50 characters"]
    monkeypatch.setattr(control, "tail", lambda *arguments, **more: list(lines))
    monkeypatch.setattr(control, "listeners", list)
    monkeypatch.setattr(control, "process_evidence", lambda pid: None)
    monkeypatch.setattr(control, "processes_of_unit", lambda unit, uid: [])
    monkeypatch.setattr(UserManager, "require", lambda self: None)
    return lines


def services(systemd: Systemd, time: Time, answer: tuple[int, str] = (200, "OK")) -> control.Services:
    return control.Services(
        find_account(),
        ROOT,
        run=systemd,
        clock=time.clock,
        sleep=time.sleep,
        get=lambda address, port, path, timeout: answer,
    )


def backend(systemd: Systemd, active: str = "active", socket: str | None = "active") -> None:
    systemd.units["mission-control-backend.service"] = properties(ActiveState=active)
    if socket:
        systemd.units["mission-control-backend.socket"] = properties(
            ActiveState=socket, Listen="0.0.0.0:8000 (Stream)", MainPID="0"
        )


def act(action: str, service: str = "backend") -> control.Action:
    return control.Action(service, action, components.service_unit(service), "because")


def test_restart_leaves_the_socket_open(no_journal: list[str]) -> None:
    systemd, time = Systemd(), Time()
    backend(systemd)
    after = services(systemd, time).carry_out(act("restart"), 60)
    assert after.running and after.pid == 101
    assert systemd.calls == [
        "reset-failed mission-control-backend.service",
        "restart mission-control-backend.service",
    ]


def test_a_closed_socket_is_opened_before_its_service(no_journal: list[str]) -> None:
    systemd, time = Systemd(), Time()
    backend(systemd, socket="inactive")
    services(systemd, time).carry_out(act("restart"), 60)
    assert systemd.calls[1:] == [
        "stop mission-control-backend.service",
        "start mission-control-backend.socket",
        "start mission-control-backend.service",
    ]


def test_what_is_being_started_makes_way_for_its_socket_too(no_journal: list[str]) -> None:
    systemd, time = Systemd(), Time()
    backend(systemd, active="activating", socket="inactive")
    services(systemd, time).carry_out(act("restart"), 60)
    assert systemd.calls[1] == "stop mission-control-backend.service"


def test_lines_from_before_are_no_cause(no_journal: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []

    def tail(*_arguments: Any, since: float | None = None) -> list[str]:
        asked.append(since)
        return no_journal if since is None else ["started", "said nothing of it"]

    monkeypatch.setattr(control, "tail", tail)
    systemd = Systemd(works=False)
    backend(systemd)
    began = clock.time()
    with pytest.raises(control.ServiceError) as caught:
        services(systemd, Time()).carry_out(act("restart"), 60)
    assert caught.value.kind == "unhealthy" and caught.value.journal == ["started", "said nothing of it"]
    assert asked[0] is not None and began <= asked[0] <= clock.time()


def test_socket_and_service_stop_together(no_journal: list[str]) -> None:
    systemd, time = Systemd(), Time()
    backend(systemd)
    assert services(systemd, time).carry_out(act("stop"), 60).state == "stopped"
    assert systemd.calls == ["stop mission-control-backend.socket mission-control-backend.service"]


def test_what_systemctl_refuses_names_cause_remedy_and_lines(no_journal: list[str]) -> None:
    systemd, time = Systemd(works=False), Time()
    backend(systemd)
    with pytest.raises(control.ServiceError) as caught:
        services(systemd, time).carry_out(act("restart"), 60)
    assert caught.value.kind == "token_refused"
    assert "LOCAL_AUTH_TOKEN" in caught.value.message and "mission_control_token" in caught.value.remedy
    assert caught.value.journal == no_journal


def test_a_service_that_never_answers_is_unhealthy_after_the_timeout(no_journal: list[str]) -> None:
    no_journal[:] = ["INFO: nothing special"]
    systemd, time = Systemd(), Time()
    backend(systemd)
    with pytest.raises(
        control.ServiceError, match=r"not healthy after 30 s: /readyz at port 8000 answers 503"
    ) as caught:
        services(systemd, time, (503, "Busy")).carry_out(act("restart"), 30)
    assert 30 <= time.now < 32
    assert caught.value.kind == "unhealthy"


def test_a_service_that_ends_again_is_not_waited_for(no_journal: list[str]) -> None:
    after = {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"}
    systemd, time = Systemd(after_start=after), Time()
    backend(systemd)
    with pytest.raises(control.ServiceError, match=r"started and ended again \(exit-code\)"):
        services(systemd, time).carry_out(act("restart"), 60)
    assert time.now == 0


def test_the_worker_has_to_stay_up(no_journal: list[str]) -> None:
    systemd, time = Systemd(), Time()
    systemd.units["mission-control-worker.service"] = properties()
    services(systemd, time).carry_out(act("restart", "worker"), 60)
    assert time.now >= control.STAYS_UP


def test_the_page_may_lead_elsewhere_but_the_health_endpoint_must_not(no_journal: list[str]) -> None:
    systemd, time = Systemd(), Time()
    one = services(systemd, time, (307, "Moved"))
    assert one._unhealthy(state("frontend", "running", ports=[3000], address="::")) == ""
    assert "answers 307" in one._unhealthy(state("backend", "running", ports=[8000], address="::"))
    assert one._unhealthy(state("backend", "running")) == "it listens nowhere"
    unknown = dataclasses.replace(state("backend", "running"), ports_unknown=True)
    assert one._unhealthy(unknown).startswith("where it listens is not known")


def test_current_release(tmp_path: Path) -> None:
    assert control.Services(find_account(), str(tmp_path)).current is None
    (tmp_path / "current").symlink_to("releases/abc")
    assert control.Services(find_account(), str(tmp_path)).current == "abc"
