# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finding, taking over and giving back, on files; the manager of units is a record of calls."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._adoption import discovery, takeover
from ansible_collections.openclaw.mission_control.plugins.module_utils._adoption import record as _record
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.units import WantedUnit
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import outcome, pruning

TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
UNIT = """[Service]
WorkingDirectory=%h/mission-control/backend
EnvironmentFile=-%h/mission-control/backend/.env
Environment=LOG_LEVEL=DEBUG "SITE=Ward 7"
ExecStart=/usr/bin/python -m uvicorn app.main:app \\
  --host 127.0.0.1 --port=8001
"""


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account("someone", os.geteuid(), os.getegid(), str(tmp_path), groups=(os.getegid(),))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "mission-control")


def lay_out(tree: Path) -> None:
    (tree / "backend/app").mkdir(parents=True)
    (tree / "backend/app/main.py").write_text("")
    (tree / "backend/.env").write_text(f"LOCAL_AUTH_TOKEN={TOKEN}\nLOG_LEVEL=INFO\nexport RQ_QUEUE_NAME=q\n")
    for name in ("frontend", "scripts"):
        (tree / name).mkdir()
    (tree / "frontend/.env").write_text("NEXT_PUBLIC_API_URL=auto\n")
    (tree / ".git/refs/heads").mkdir(parents=True)
    (tree / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (tree / ".git/refs/heads/main").write_text("a" * 40 + "\n")


@pytest.fixture
def guide(account: Account, layout: Layout) -> Path:
    """Laid out after the guide."""
    lay_out(layout.root)
    units = discovery.unit_directory(account)
    (units / "mission-control-backend.service.d").mkdir(parents=True)
    (units / "mission-control-backend.service").write_text(UNIT)
    (units / "mission-control-backend.service.d/more.conf").write_text("[Service]\nNice=3\n")
    return layout.root


def find(account: Account, layout: Layout) -> _record.Installation:
    found = discovery.find(account, layout)
    assert found is not None
    return found


def test_nothing_is_found_on_a_bare_host(account: Account, layout: Layout) -> None:
    assert discovery.find(account, layout) is None
    assert discovery.inspect(None, str(layout.root)) is None


def test_guide(account: Account, layout: Layout, guide: Path) -> None:
    found = find(account, layout)
    assert (found.kind, found.tree, found.revision) == ("guide", str(guide), "a" * 12)
    assert found.entries == [".git", "backend", "frontend", "scripts"]
    assert [unit.name for unit in found.units] == ["mission-control-backend.service"]
    assert found.backend == {
        "LOCAL_AUTH_TOKEN": TOKEN,
        "RQ_QUEUE_NAME": "q",
        "LOG_LEVEL": "DEBUG",
        "SITE": "Ward 7",
    }
    assert found.frontend == {"NEXT_PUBLIC_API_URL": "auto"}
    assert found.listens == {"backend": {"host": "127.0.0.1", "port": "8001"}}


def test_no_secret_leaves_the_host(account: Account, layout: Layout, guide: Path) -> None:
    told = discovery.inspect(account, str(layout.root))
    assert told is not None and told["state"] == "found" and told["settings"]["LOG_LEVEL"] == "DEBUG"
    assert TOKEN not in str(told)


def test_units_of_this_collection_are_nobody_elses(account: Account, layout: Layout) -> None:
    for kind in (".service", ".socket"):
        text = WantedUnit(f"mission-control-backend{kind}", "[Service]\n").text
        assert text is not None and not discovery.hand_made(text)
    units = discovery.unit_directory(account)
    units.mkdir(parents=True)
    text = WantedUnit("mission-control-backend.service", UNIT).text
    (units / "mission-control-backend.service").write_text(text or "")
    assert discovery.hand_made_units(account) == []


def test_a_deployed_host_is_not_looked_at(account: Account, layout: Layout, guide: Path) -> None:
    layout.current.symlink_to("releases/x")
    assert discovery.find(account, layout) is None


def test_a_record_that_cannot_be_read_is_told(account: Account, layout: Layout) -> None:
    layout.shared.mkdir(parents=True)
    for text in ("nonsense", "[]", '{"found": {}}'):
        _record.record_path(layout).write_text(text)
        with pytest.raises(HostError, match="cannot be read as the record"):
            discovery.inspect(account, str(layout.root))


class Manager:
    """Stands for systemctl: says yes, and keeps what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.running = False

    def call(self, *arguments: str, timeout: float = 0) -> Completed:
        self.calls.append(arguments)
        return Completed(arguments, 0)


@pytest.fixture
def steps(account: Account, layout: Layout) -> takeover.Adoption:
    made = takeover.Adoption(layout, account, now=lambda: 1_700_000_000)
    made.manager = Manager()  # type: ignore[assignment]
    return made


def record_of(steps: takeover.Adoption) -> _record.Record:
    record = steps.found()
    assert record is not None
    for unit in record.found.units:
        unit.active = unit.enabled = True
    record.found.listens = {}
    return record


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def contents(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if "shared" not in path.parts}


def test_taken_and_given_back(
    steps: takeover.Adoption, account: Account, layout: Layout, guide: Path
) -> None:
    units = discovery.unit_directory(account)
    before = contents(Path(account.home))
    record = record_of(steps)
    kept = guide / "before-20231114T221320Z"
    assert steps.take_plan(record) == [
        "stop and put aside mission-control-backend.service",
        f"move .git, backend, frontend, scripts from {guide} to {kept}",
    ]
    assert contents(Path(account.home)) == before, "a plan changes nothing"
    steps.take(record)
    assert names(guide) == [kept.name, "shared"]
    assert (kept / "backend/.env").exists() and (kept / "units/mission-control-backend.service").exists()
    assert names(units) == []
    assert _record.record_path(layout).stat().st_mode & 0o777 == 0o600
    again = discovery.inspect(account, str(layout.root))
    assert again is not None and again["state"] == "pending" and again["settings"]["LOG_LEVEL"] == "DEBUG"
    # A second run finds nothing to do, and knows what there was.
    second = steps.found()
    assert second is not None and steps.take_plan(second) == []
    layout.current.symlink_to("releases/x")
    (guide / "backend").symlink_to("current/backend")
    assert steps.restore(second) == ["mission-control-backend.service"]
    assert contents(Path(account.home)) == before
    assert not _record.record_path(layout).exists()
    verbs = [call[0] for call in steps.manager.calls]  # type: ignore[attr-defined]
    assert verbs == ["stop", "disable", "daemon-reload", "daemon-reload", "enable", "start"]


def test_a_take_over_that_was_killed_is_completed(
    steps: takeover.Adoption, account: Account, layout: Layout, guide: Path, monkeypatch: Any
) -> None:
    record, move, moved = record_of(steps), takeover._move, []

    def killed(source: Path, target: Path, **options: Any) -> None:
        moved.append(source.name)
        if source.name == "frontend":
            raise KeyboardInterrupt
        move(source, target, **options)

    monkeypatch.setattr(takeover, "_move", killed)
    with pytest.raises(KeyboardInterrupt):
        steps.take(record)
    monkeypatch.setattr(takeover, "_move", move)
    told = discovery.inspect(account, str(layout.root))
    assert told is not None and told["state"] == "pending"
    second = steps.found()
    assert second is not None and second.kept == record.kept and second.found.backend == record.found.backend
    steps.take(second)
    assert names(guide) == [Path(record.kept).name, "shared"]
    assert [unit.active for unit in second.found.units] == [True], "what ran before is known"
    steps.restore(second)
    assert (guide / "frontend/.env").exists()


def test_nothing_is_overwritten(steps: takeover.Adoption, guide: Path) -> None:
    record = record_of(steps)
    steps.take(record)
    (guide / "backend/app").mkdir(parents=True)
    (guide / "backend/app/main.py").write_text("made since")
    with pytest.raises(DeploymentError, match="is there already"):
        steps.restore(record)
    assert (guide / "backend/app/main.py").read_text() == "made since"


def test_directories_that_cannot_be_renamed_are_moved_one_by_one(
    steps: takeover.Adoption, account: Account, guide: Path, monkeypatch: Any
) -> None:
    """As on a layered file system."""
    before, rename = contents(Path(account.home)), Path.rename

    def only_files(path: Path, target: Path) -> Path:
        if path.is_dir():
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", only_files)
    record = record_of(steps)
    steps.take(record)
    assert names(guide) == [Path(record.kept).name, "shared"]
    steps.restore(record)
    assert contents(Path(account.home)) == before


def test_after_the_gate_it_is_done(
    steps: takeover.Adoption, account: Account, layout: Layout, guide: Path
) -> None:
    assert not outcome.complete_adoption(layout)
    steps.take(record_of(steps))
    assert outcome.complete_adoption(layout)
    told = discovery.inspect(account, str(layout.root))
    assert told is not None and told["state"] == "done"
    assert not outcome.complete_adoption(layout)
    assert _record.record_path(layout) not in pruning.everything(layout, data=False)
    assert _record.record_path(layout) in pruning.everything(layout, data=True)


@pytest.fixture
def stray(account: Account) -> Iterator[Sequence[Any]]:
    """A worker of no unit, in a checkout as the installer has it."""
    tree = Path(account.home) / "openclaw-mission-control"
    lay_out(tree)
    (tree / "scripts/rq").write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "../scripts/rq", "worker"], cwd=tree / "backend", stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == b"up\n"
    yield tree, process
    process.kill()
    process.wait()
    process.stdout.close()


def test_processes_of_no_unit(
    steps: takeover.Adoption, account: Account, stray: Sequence[Any], monkeypatch: Any
) -> None:
    tree, process = stray
    # Wherever the tests run, in a service or not.
    monkeypatch.setattr(discovery, "_of_session", lambda unit: True)
    record = record_of(steps)
    (found,) = record.found.processes
    assert (found.part, found.pids, found.cwd) == ("worker", [process.pid], str(tree / "backend"))
    assert record.found.tree == str(tree) and record.found.entries == []
    assert steps.take_plan(record) == [f"end the processes {process.pid}"]
    steps.take(record)
    assert process.wait(timeout=10) == -15
    assert steps.restore(record) == ["the worker (started by hand)"]
    (again,) = list(discovery.stray_processes(account))
    assert again.part == "worker" and again.pids != [process.pid]
    steps._end(again.pids)
    assert list(discovery.stray_processes(account)) == []
