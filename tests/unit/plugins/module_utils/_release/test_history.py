"""One deployment at a time, and the record of each."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.action import deployment as action
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import history, past
from ansible_collections.openclaw.mission_control.plugins.module_utils._release.history import Register, Run

ONE, TWO = "111111111111-00000001", "222222222222-00000002"
FIRST = Run(
    "first", "deploy", by="me@here", address="192.0.2.1", source="https://example.org/a.git", revision="main"
)
SECOND = Run("second", "rollback", by="you@there")


class Clock:
    def __init__(self) -> None:
        self.boot, self.now = "boot", 1000.0

    def register(self, path: Path) -> Register:
        return Register(path, lambda: self.boot, lambda: self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(history, "DIRECTORY", tmp_path / "lib")
    return history.place("app")


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_second_run_is_told_of_the_first(path: Path, clock: Clock) -> None:
    register = clock.register(path)
    assert register.look() is None
    assert register.begin(FIRST) is None
    found = register.begin(SECOND)
    assert found is not None and found["run"] == "first"
    assert path.stat().st_mode & 0o777 == 0o600
    began = datetime.strptime(FIRST.started, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    said = history.describe(found, "preparing a release", now=began + 7)
    assert said.startswith(
        "deploy by me@here (from 192.0.2.1) of https://example.org/a.git at main, since 20"
    )
    assert said.endswith(" (7 s ago); it is preparing a release")


def test_a_run_that_ended_makes_room(path: Path, clock: Clock) -> None:
    register = clock.register(path)
    register.begin(FIRST)
    register.end("another")
    assert register.look() is not None
    register.end("first")
    left: list[Any] = []
    assert register.look() is None and register.begin(SECOND, left.append) is None
    assert left == []


@pytest.mark.parametrize("change", ["later", "rebooted"])
def test_a_run_that_never_showed_itself_counts_for_a_while(path: Path, clock: Clock, change: str) -> None:
    register = clock.register(path)
    register.begin(FIRST)
    if change == "later":
        clock.now += history.GRACE
    else:
        clock.boot = "another"
    left: list[Any] = []
    assert register.look() is None and register.begin(SECOND, left.append) is None
    assert [told["run"] for told in left] == ["first"]
    assert register.entered("first") is None and register.entered("second") is not None


def hold(path: Path, run: str, **settings: int) -> subprocess.Popen[bytes]:
    command = action.holding_command("app", run, **settings)
    return subprocess.Popen(["sh", "-c", f"exec {command}"], stdout=subprocess.PIPE)


def beat(run: str) -> int:
    return subprocess.run(["sh", "-c", action.beating_command("app", run)], check=False).returncode


def test_the_process_on_the_host_is_what_counts(path: Path, clock: Clock) -> None:
    register = clock.register(path)
    register.begin(FIRST)
    with hold(path, "first") as held:
        until(lambda: b"held" in path.read_bytes())
        clock.now += 10 * history.GRACE
        assert register.begin(SECOND) is not None
        held.kill()
    # Though it is younger than the grace again: it has shown itself, and is gone.
    clock.now = 1000.0
    until(lambda: register.look() is None)
    assert register.begin(SECOND) is None


def test_the_process_ends_with_its_connection(path: Path, clock: Clock) -> None:
    register = clock.register(path)
    register.begin(FIRST)
    held = hold(path, "first")
    assert held.stdout is not None
    until(lambda: b"held" in path.read_bytes())
    held.stdout.close()
    held.wait(timeout=60)
    assert register.look() is None


def test_the_process_ends_with_its_run(path: Path, clock: Clock) -> None:
    register = clock.register(path)
    register.begin(FIRST)
    with hold(path, "first") as held:
        until(lambda: b"held" in path.read_bytes())
        register.end("first")
        # The process needs a moment to see it; nobody has to wait for that.
        assert register.begin(SECOND) is None
        assert held.wait(timeout=60) == 0


def test_the_process_ends_when_its_run_falls_silent(path: Path, clock: Clock) -> None:
    """It looks every five seconds; nobody closes the connection."""
    register = clock.register(path)
    register.begin(FIRST)
    with hold(path, "first", silence=10) as held:
        until(lambda: b"held" in path.read_bytes())
        spoke = time.monotonic()
        while time.monotonic() < spoke + 16:
            assert beat("another") == 0 and beat("first") == 1
            time.sleep(1)
        assert register.begin(SECOND) is not None
        spoke = time.monotonic()
        assert held.wait(timeout=60) == 1
        assert time.monotonic() - spoke < 25
    assert register.begin(SECOND) is None
    assert beat("first") == 0


def test_where_a_run_comes_from(tmp_path: Path) -> None:
    pid = __import__("os").getpid()
    for number, parent, environment in (
        (pid, 7, "A=1"),
        (7, 1, "B=2\0SSH_CONNECTION=2001:db8::1 5 2001:db8::2 22"),
    ):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "environ").write_text(environment)
        (tmp_path / str(number) / "stat").write_text(f"{number} (a) b) S {parent} 1 1")
    assert history.from_where(tmp_path) == "2001:db8::1"
    assert history.from_where(tmp_path / "7") == ""


# --- the history ---------------------------------------------------------------------------------


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root")
    layout.shared.mkdir(parents=True)
    for name, created in ((ONE, "2026-01-01T00:00:00Z"), (TWO, "2026-02-01T00:00:00Z")):
        layout.release(name).mkdir(parents=True)
        told = {
            "id": name,
            "created": created,
            "revision": name[:12],
            "source": {"origin": "https://example.org"},
        }
        (layout.release(name) / "release.json").write_text(json.dumps(told))
    layout.current.symlink_to(f"releases/{ONE}")
    return layout


def told(started: str, previous: str | None = ONE) -> dict[str, Any]:
    return {**FIRST.as_record(), "started": started, "previous": previous}


def test_a_deployment_says_what_of_and_from_where(layout: Layout) -> None:
    line = history.entry(layout, told("2026-01-01T00:00:00Z", None), "deployed", {})
    assert (line["result"], line["release"], line["revision"]) == ("deployed", ONE, ONE[:12])
    assert (line["by"], line["from"], line["source"]) == ("me@here", "192.0.2.1", "https://example.org")
    assert line["seconds"] > 0 and "reason" not in line and "previous" not in line


def test_a_deployment_that_did_nothing(layout: Layout) -> None:
    line = history.entry(layout, told("2026-03-01T00:00:00Z"), "deployed", {})
    assert line["result"] == "unchanged"


def test_a_failure_says_why_and_no_secret(layout: Layout) -> None:
    why = {
        "release": TWO,
        "failed_task": "Migrate",
        "failed_checks": ["health"],
        "reason": "postgresql://me:hunter2hunter2@db/x\n" + 600 * "y",
    }
    line = history.entry(layout, told("2026-03-01T00:00:00Z"), "failed", why)
    assert (line["release"], line["current"], line["failed_checks"]) == (TWO, ONE, ["health"])
    assert "hunter2" not in line["reason"] and len(line["reason"]) == history.REASON


@pytest.mark.parametrize(
    ("started", "release"), [("2026-01-15T00:00:00Z", TWO), ("2026-03-01T00:00:00Z", None)]
)
def test_of_an_interrupted_run_that_is_told_which_is_known(
    layout: Layout, started: str, release: str | None
) -> None:
    line = history.entry(layout, told(started), "interrupted", {})
    assert line.get("release") == release and line["current"] == ONE and "seconds" not in line


def test_lines_are_appended_once_and_the_file_is_cut(layout: Layout) -> None:
    for number in range(40):
        line = {"run": str(number), "started": "x", "result": "deployed"}
        assert history.record(layout, line, piece=400)
        assert not history.record(layout, line, piece=400)
    assert layout.history.stat().st_mode & 0o777 == 0o640
    files = [path.name for path in past.pieces(layout) if path.exists()]
    assert files == ["history.jsonl", "history.jsonl.1", "history.jsonl.2", "history.jsonl.3"]
    assert not layout.history.with_name("history.jsonl.4").exists()
    runs = [int(line["run"]) for line in past.history(layout, 20)]
    assert runs == list(range(20, 40))


def test_a_line_that_was_cut_off_hides_no_other(layout: Layout) -> None:
    layout.history.write_text('{"run": "1"}\n{"ru\n{"run": "3"}\n')
    assert [line["run"] for line in past.history(layout, 9)] == ["1", "3"]
    assert past.history(Layout(layout.root / "none"), 9) == []


@pytest.mark.parametrize("result", ["deployed", "unchanged", "rolled_back", "rotated", "returned"])
def test_when_a_deployment_went_on_that_left_something_working(result: str) -> None:
    line = {"result": result, "started": "1970-01-01T00:01:40Z", "time": "1970-01-01T00:03:20Z"}
    assert past.settled_spans([line], now=300.0) == [(100.0, 201.0)]
    assert past.settled_spans([line], now=150.0) == [], "a clock that was wrong hides nothing"


@pytest.mark.parametrize(
    "line",
    [
        {"result": "failed", "started": "1970-01-01T00:01:40Z", "time": "1970-01-01T00:03:20Z"},
        {"result": "interrupted", "started": "1970-01-01T00:01:40Z", "time": "1970-01-01T00:03:20Z"},
        {"result": "deployed", "time": "1970-01-01T00:03:20Z"},
        {"result": "deployed", "started": "soon", "time": "1970-01-01T00:03:20Z"},
        {"result": ["deployed"], "started": [], "time": {}},
    ],
)
def test_what_tells_of_no_such_deployment(line: dict[str, Any]) -> None:
    assert past.settled_spans([line], now=300.0) == []


def test_a_rotation_is_recorded_by_the_names_of_its_secrets() -> None:
    run = Run("third", "rotate", by="me@here", rotated=("token", "redis"), previous="r1")
    assert " of token, redis, while release r1 serves" in history.describe(run.as_record())
    line = history.compose("r2", {"r2": {"revision": "abc"}}, run.as_record(), "rotated", {})
    assert (line["action"], line["result"], line["release"], line["rotated"]) == (
        "rotate",
        "rotated",
        "r2",
        ["token", "redis"],
    )
