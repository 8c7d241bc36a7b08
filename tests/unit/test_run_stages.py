# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `make test` starts when, what it says of it, and how it ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import run_stages  # noqa: E402 (it lies beside the tests' directory)
from matrix import VERSIONS, candidates, requirements, works  # noqa: E402
from run_stages import InterruptedRunError, Result, Runner, Stage, all_stages, at_once, choose  # noqa: E402


def shell(name: str, script: str, *after: str, room: int = 1) -> Stage:
    return Stage(name, ("sh", "-c", script), after, room)


class Trial:
    """Runs stages whose logs and output can be looked at."""

    def __init__(self, path: Path, room: int = 3, deadline: float = 0, again_until: float = 0) -> None:
        self.out = io.StringIO()
        self.runner = Runner(path / "logs", room, deadline, self.out, again_until)

    def run(self, *stages: Stage) -> dict[str, Result]:
        return {result.stage.name: result for result in self.runner.run(stages)}


# --- which stages ---


def test_every_scenario_is_a_stage_that_begins_after_what_it_starts_from() -> None:
    stages = all_stages(full=True)
    names = [stage.name for stage in stages]
    scenarios = {path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml")}
    assert len(names) == len(set(names))
    versions = {f"ansible-{version.name}" for version in VERSIONS}
    assert set(names) == scenarios | {"lint", "unit", "reference", "newest", "sanity", "docs"} | versions
    after = {stage.name: stage.after for stage in stages}
    assert after["faults"] == after["operations"] == ("default",)
    assert after["default"] == after["gateway"] == after["local"] == after["unit"] == ()
    assert all(names.index(before) < names.index(name) for name in names for before in after[name])


def test_the_long_scenarios_are_left_to_test_full() -> None:
    more = {stage.name for stage in all_stages(full=True)} - {stage.name for stage in all_stages(full=False)}
    versions = {f"ansible-{version.name}" for version in VERSIONS}
    scenarios = {
        "gateway",
        "adoption",
        "local",
        "front_door",
        "distributed",
        "bundle",
        "hosts",
        "rotation",
        "backup",
    }
    assert more == {*scenarios, "docs"} | versions


def test_the_workflow_tests_the_same_versions() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/matrix.yml").read_text())
    assert workflow["jobs"]["ansible"]["strategy"]["matrix"]["version"] == [one.name for one in VERSIONS]


def test_targets_of_stages_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for stage in all_stages(full=True):
        if stage.command[0] == "make":
            target = [word for word in stage.command if "=" not in word][-1]
            assert f"\n{target}: " in makefile


@pytest.mark.parametrize(
    ("names", "there", "chosen"),
    [
        (["lint"], False, ["lint"]),
        (["faults"], True, ["faults"]),
        (["faults"], False, ["default", "faults"]),
        (["default"], False, ["default"]),
    ],
)
def test_what_a_scenario_starts_from_is_made_where_it_is_missing(
    names: list[str], there: bool, chosen: list[str]
) -> None:
    found = choose(all_stages(full=False), names, lambda _stage: there)
    assert [stage.name for stage in found] == chosen
    assert all(set(stage.after) <= set(chosen) for stage in found)


def test_all_scenarios_and_everything() -> None:
    stages = all_stages(full=False)
    everything = choose(stages, [], lambda _stage: True)
    assert everything == stages
    scenarios = choose(stages, ["scenarios"], lambda _stage: True)
    assert {stage.name for stage in stages} - {stage.name for stage in scenarios} == {
        "lint",
        "newest",
        "sanity",
        "unit",
        "reference",
    }
    # What is there from another day is made again.
    assert next(stage for stage in scenarios if stage.name == "faults").after == ("default",)


def test_an_unknown_stage_is_told_with_those_there_are() -> None:
    with pytest.raises(SystemExit, match=r"no stage 'deflaut'; there are default, unit, .* and scenarios"):
        choose(all_stages(full=False), ["deflaut"], lambda _stage: True)


@pytest.mark.parametrize(("cores", "memory", "stages"), [(2, 23, 3), (2, 7, 2), (1, 2, 1), (8, 64, 9)])
def test_how_many_run_at_once(cores: int, memory: int, stages: int) -> None:
    assert at_once(cores, memory) == stages


# --- other versions of ansible-core ---


def test_a_version_changes_ansible_and_nothing_else() -> None:
    text = (ROOT / "tests/requirements.txt").read_text()
    usual = {line for line in text.splitlines() if line and not line.startswith("#")}
    for version in VERSIONS:
        changed = set(requirements(version, text)) - usual
        assert changed == {f"ansible=={version.ansible}", f"ansible-core=={version.core}"}
        assert len(requirements(version, text)) == len(usual)


def test_a_python_that_is_another_or_only_a_stand_in_is_passed_over(tmp_path: Path) -> None:
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    stand_in = tmp_path / f"python{here}"
    stand_in.write_text("#!/bin/sh\nexit 127\n")
    stand_in.chmod(0o755)
    kept = tmp_path / f"pyenv/versions/{here}.9/bin"
    kept.mkdir(parents=True)
    (kept / "python").symlink_to(sys.executable)
    found = list(candidates(here, {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path / "pyenv")}))
    assert found == [str(stand_in), str(kept / "python")]
    assert [works(program, here) for program in found] == [False, True]
    assert not works(sys.executable, "2.7") and not works(str(tmp_path / "none"), here)


# --- running them ---


def test_output_is_printed_in_one_piece_and_kept(tmp_path: Path) -> None:
    meet = f"mkdir -p {tmp_path}; touch {tmp_path}/$0; while [ ! -e {tmp_path}/$1 ]; do sleep 0.01; done"
    pair = [
        Stage(name, ("sh", "-c", f"echo first {name}; {meet}; echo second {name} >&2", name, other))
        for name, other in (("one", "two"), ("two", "one"))
    ]
    trial = Trial(tmp_path)
    results = trial.run(*pair)
    assert [result.outcome for result in results.values()] == ["passed", "passed"]
    for name in ("one", "two"):
        whole = f"first {name}\nsecond {name}\n"
        assert whole in trial.out.getvalue()
        assert (tmp_path / "logs" / f"{name}.log").read_text() == whole


def test_a_stage_begins_when_those_before_it_passed(tmp_path: Path) -> None:
    made = tmp_path / "made"
    results = Trial(tmp_path).run(
        shell("first", f"sleep 0.2; touch {made}"),
        shell("second", f"test -e {made}", "first"),
        shell("other", ":"),
    )
    assert {result.outcome for result in results.values()} == {"passed"}
    assert list(results).index("first") < list(results).index("second")


def test_when_one_fails_the_others_run_and_what_starts_from_it_does_not(tmp_path: Path) -> None:
    trial = Trial(tmp_path)
    results = trial.run(
        shell("bad", "echo the reason; echo 'E   assert 1 == 2'; exit 3"),
        shell("dependent", ":", "bad"),
        shell("further", ":", "dependent"),
        shell("other", "sleep 0.3"),
        shell("killed", "kill -9 $$"),
    )
    assert {name: result.outcome for name, result in results.items()} == {
        "bad": "failed with status 3",
        "dependent": "not run: bad did not pass",
        "further": "not run: dependent did not pass",
        "other": "passed",
        "killed": "failed: ended by signal 9",
    }
    assert not run_stages.report(trial.runner)
    said = trial.out.getvalue()
    assert "the reason" in said
    assert f"bad | E   assert 1 == 2\nbad: failed with status 3; see {tmp_path}/logs/bad.log" in said
    assert "further: not run: dependent did not pass\n" in said
    assert "other: " not in said


def test_what_failed_is_run_once_more_and_told_all_the_same(tmp_path: Path) -> None:
    """Those that start from it wait for that."""
    trial = Trial(tmp_path, again_until=60)
    here = tmp_path / "here"
    results = trial.run(
        shell("shaky", f"test -e {here} && exit 0; touch {here}; echo 'E   a busy machine'; exit 1"),
        shell("dependent", f"test -e {here}", "shaky"),
        shell("broken", f"echo x >>{tmp_path}/runs; echo 'E   for good'; exit 2"),
    )
    assert {name: result.outcome for name, result in results.items()} == {
        "shaky": "passed the second time",
        "dependent": "passed",
        "broken": "failed with status 2",
    }
    assert (tmp_path / "runs").read_text() == "x\nx\n"
    assert not run_stages.report(trial.runner)
    said = trial.out.getvalue()
    first = (
        f"shaky | E   a busy machine\nshaky: passed the second time; see {tmp_path}/logs/shaky.first.log\n"
    )
    assert first in said
    assert f"broken | E   for good\nbroken: failed with status 2; see {tmp_path}/logs/broken.log\n" in said


def test_what_failed_is_not_run_again_where_that_would_end_too_late(tmp_path: Path) -> None:
    trial = Trial(tmp_path, again_until=0.5)
    results = trial.run(
        shell("late", f"echo x >>{tmp_path}/runs; sleep 0.3; exit 1"), shell("next", ":", "late")
    )
    assert results["late"].outcome == "failed with status 1"
    assert results["next"].outcome == "not run: late did not pass"
    assert (tmp_path / "runs").read_text() == "x\n"


def test_why_it_failed_the_first_time_is_told_when_the_second_run_finds_no_end(tmp_path: Path) -> None:
    trial = Trial(tmp_path, deadline=1.5, again_until=60)
    here = tmp_path / "here"
    with pytest.raises(InterruptedRunError):
        trial.run(
            shell("slow", f"test -e {here} && exec sleep 600; touch {here}; echo 'E   the reason'; exit 1")
        )
    assert not run_stages.report(trial.runner)
    assert "slow | E   the reason\nslow: ended: no time left after 0:02; see " in trial.out.getvalue()


@pytest.mark.parametrize(("room", "needed", "at_once"), [(2, 1, 2), (3, 2, 1), (1, 2, 1)])
def test_no_more_than_there_is_room_for(tmp_path: Path, room: int, needed: int, at_once: int) -> None:
    here, began = tmp_path / "here", tmp_path / "began"
    here.mkdir()
    began.mkdir()
    # Each waits until as many have begun as may run at once.
    met = f"while [ $(ls {began} | wc -l) -lt {at_once} ]; do sleep 0.02; done"
    script = f"touch {here}/$$ {began}/$$; {met}; ls {here} | wc -l; rm {here}/$$"
    results = Trial(tmp_path, room).run(*(shell(str(number), script, room=needed) for number in range(4)))
    assert {result.outcome for result in results.values()} == {"passed"}
    assert max(int((tmp_path / "logs" / f"{number}.log").read_text()) for number in range(4)) == at_once


def running(path: Path) -> int:
    """The process id that a stage has written down."""
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


def gone(pid: int) -> bool:
    """Whether a process that was told to end has ended; on a busy machine that takes a moment."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_an_interruption_ends_what_runs_with_its_children(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    trial = Trial(tmp_path, room=1)

    def soon() -> None:
        running(noted)
        trial.runner.interrupt()

    threading.Thread(target=soon, daemon=True).start()
    long = shell("long", f"echo it began; sh -c 'echo $$ >{noted}; exec sleep 600'; :")
    with pytest.raises(InterruptedRunError):
        trial.run(long, shell("later", ":"))
    assert {result.stage.name: result.outcome for result in trial.runner.results} == {
        "long": "ended: interrupted",
        "later": "not run: interrupted",
    }
    assert "it began" in trial.out.getvalue()
    assert gone(running(noted))


def test_no_run_outlives_its_deadline(tmp_path: Path) -> None:
    trial = Trial(tmp_path, room=1, deadline=0.6)
    with pytest.raises(InterruptedRunError):
        trial.run(shell("long", "exec sleep 600"), shell("later", ":"))
    assert {result.stage.name: result.outcome for result in trial.runner.results} == {
        "long": "ended: no time left after 0:01",
        "later": "not run: no time left after 0:01",
    }


def test_the_table_tells_what_took_how_long() -> None:
    results = [
        Result(shell("late", ":"), 65.4, 3.2, "passed"),
        Result(shell("early-one", ":"), 0, 754, "failed with status 2"),
        Result(shell("never", ":"), 754, 0, "not run: early-one did not pass"),
    ]
    assert run_stages.table(results, 755, 0.914).splitlines() == [
        "stage      began   took  result",
        "early-one   0:00  12:34  failed with status 2",
        "late        1:05   0:03  passed",
        "never          -      -  not run: early-one did not pass",
        "all               12:35  one after the other: 12:37, processors 91% busy",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("E       AssertionError: {'one': 1}", True),
        ("FAILED molecule/x/tests/test_x.py::test_y[1] - AssertionError: no", True),
        ("\x1b[31m│\x1b[0m \x1b[31mfatal: [host]: FAILED! => {}\x1b[0m", True),
        ("\x1b[2m│\x1b[0m \x1b[31m[ERROR]: Task failed: no\x1b[0m", True),
        ("make[1]: *** [Makefile:94: unit] Error 1", True),
        ("plugins/filter/x.py:3: error: Name is not defined  [name-defined]", True),
        ("ModuleNotFoundError: No module named 'x'", True),
        ("ok: [host]", False),
        ("host: ok=3 changed=0 unreachable=0 failed=0", False),
        ("test_errors.py::test_fatal PASSED", False),
    ],
)
def test_why_a_stage_failed_is_taken_from_its_output(line: str, told: bool) -> None:
    found = run_stages.reasons(f"before\n{line}\nafter\n{line}\n")
    assert len(found) == told
    assert not any("\x1b" in text for text in found)


def test_of_many_reasons_the_last_ones_are_told() -> None:
    found = run_stages.reasons("\n".join(f"FAILED {number} {'x' * 1000}" for number in range(100)))
    assert len(found) == run_stages.REASON_LINES and found[-1].startswith("FAILED 99 ")
    assert max(map(len, found)) == run_stages.REASON_WIDTH


def test_of_a_long_failure_the_first_and_the_last_lines_are_told() -> None:
    """A test that shows a playbook's whole output has its point at the beginning."""
    one = [f"E       {number}" for number in range(100)]
    found = run_stages.reasons("\n".join([*one, "tests/test_x.py:7: AssertionError", "E   another"]))
    assert found == [*one[: run_stages.FIRST_LINES], *one[-run_stages.LAST_LINES :], "E   another"]


def test_of_a_failed_task_the_message_and_the_error_output_are_told() -> None:
    log = """
  │ fatal: [localhost]: FAILED! =>
  │     changed: false
  │     cmd:
  │     - sandbox.py
  │     msg: non-zero return
  │ code
  │     rc: 1
  │     stderr: |-
  │         sandbox: building
  │         Host one did not come up
  │     stdout: ''
  │
  │ PLAY RECAP
  │     msg: of nobody
"""
    assert run_stages.reasons(log) == [
        "fatal: [localhost]: FAILED! =>",
        "    msg: non-zero return",
        "code",
        "    stderr: |-",
        "        sandbox: building",
        "        Host one did not come up",
    ]


def test_a_stage_alone_writes_to_the_terminal_and_gives_its_status(tmp_path: Path) -> None:
    """The program itself, with a scenario's command that is another one here."""
    program = tmp_path / "molecule"
    program.write_text('#!/bin/sh\necho "scenario $3"\nexit 7\n')
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/run_stages.py"), "local"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "scenario local\n"), done.stderr


def test_the_program_ends_with_the_table_and_what_failed(tmp_path: Path) -> None:
    for name, script in (
        ("molecule", 'echo "scenario $3"; test $3 != local'),
        ("make", "echo $2; sleep 600"),
    ):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "STAGES_LOGS": str(tmp_path / "logs"),
    }
    words = [sys.executable, str(ROOT / "tests/run_stages.py"), "--at-once", "2"]
    done = subprocess.run(
        [*words, "gateway", "local"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "\nscenario gateway\n" in done.stdout
    assert f"local: failed with status 1; see {tmp_path}/logs/local.log" in done.stdout.splitlines()[-1]
    with subprocess.Popen(
        [*words, "lint", "unit"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "unit begins" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 130
    assert "unit: ended: interrupted" in rest and "lint: not run: interrupted" in rest
