#!/usr/bin/env python3
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the stages of `make test`, several at once: lint, unit tests, the reference application's, scenarios.

The output of a stage is printed in one piece when it ends, and is kept in .cache/logs/STAGE.log. When one
fails, the others run to their end, so that one run tells all there is to mend; only what starts from a
failed one is left out. A stage that runs alone writes to the terminal.

With --again-until a stage that failed is run once more: hosts of several stages share a machine that others
use, too. What failed the first time is told at the end all the same, as it is a fault of ours or of the test.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import yaml  # type: ignore[import-untyped]

CHECKOUT = Path(__file__).resolve().parents[1]
LOGS = Path(os.environ.get("STAGES_LOGS") or CHECKOUT / ".cache" / "logs")
# Stages start in this order, as soon as what they start from is there and there is room: first what others
# wait for, then what takes longest. A new scenario is added here (a test asks for it).
SCENARIOS = (
    "default",
    "releases",
    "faults",
    "operations",
    "interruptions",
    "leaks",
    "hostile",
)
FULL_SCENARIOS = (
    "gateway",
    "adoption",
    "local",
    "front_door",
    "distributed",
    "bundle",
    "hosts",
    "rotation",
    "backup",
)
# Versions of ansible-core beside the oldest, on which all else runs (tests/matrix.py; a test compares).
NEWER = ("2.20", "2.21", "2.22")
SNAPSHOT_OF = {"deployed": "default"}
GIGABYTES_A_STAGE = 3
END_SECONDS = 20.0
# What tells why a stage failed, in the words of pytest, Ansible, make, ruff, mypy and Python.
ANSI = re.compile(r"\x1b\[[0-9;]*m")
REASON = re.compile(
    r"^(\S{0,4}\s)?(\*  => |FAILED |ERROR |fatal: |\[ERROR\]|make.*\*\*\* |\S+: error: |\w*Error: )"
)
REASON_LINES = 40
REASON_WIDTH = 300
# Of what a failed task returned: its message and what its command said, each so many lines of it.
KEY = re.compile(r" {4}\w+:( |$)")
RETURNED = re.compile(r" {4}(msg|stderr|reason|remedy):")
FRAME = re.compile(r"^\s*│ ?")
RETURNED_LINES = 10
# Of what pytest tells of one failure: its first and its last lines.
FIRST_LINES, LAST_LINES = 10, 4
INTERRUPTED = "interrupted"
PASSED, PASSED_AGAIN = "passed", "passed the second time"


@dataclass(frozen=True)
class Stage:
    """A command that is run as one.

    name: also that of its log.
    after: stages that have to pass before.
    room: how many of the stages that may run at once it counts for.
    """

    name: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    room: int = 1


@dataclass
class Result:
    """How a stage went: when it began and what it took, in seconds; "passed", or what went wrong."""

    stage: Stage
    began: float
    took: float
    outcome: str

    @property
    def passed(self) -> bool:
        return self.outcome in (PASSED, PASSED_AGAIN)


# --- what there is to run ---


def snapshots(scenario: str, checkout: Path = CHECKOUT) -> set[str]:
    """The snapshots that the hosts of a scenario start from."""
    told = yaml.safe_load((checkout / "molecule" / scenario / "molecule.yml").read_text())
    return {platform["snapshot"] for platform in told.get("platforms", []) if platform.get("snapshot")}


def all_stages(full: bool, checkout: Path = CHECKOUT) -> list[Stage]:
    """The stages of `make test`, or of `make test-full`, in the order in which they are started."""
    # What these targets need is there: setting it up again would take it away from those that run.
    make = (
        "make",
        "--no-print-directory",
        "-o",
        "setup",
        "-o",
        str(checkout / ".cache/test-system.installed"),
    )
    scenarios = [
        Stage(
            name,
            ("molecule", "test", "-s", name),
            tuple(sorted(SNAPSHOT_OF[snapshot] for snapshot in snapshots(name, checkout))),
        )
        for name in (*SCENARIOS, *(FULL_SCENARIOS if full else ()))
    ]
    first = [stage for stage in scenarios if any(stage.name in other.after for other in scenarios)]
    others = [stage for stage in scenarios if stage not in first]
    return [
        *first,
        Stage("unit", (*make, "unit"), room=2),
        *others,
        Stage("reference", (*make, "reference"), room=2),
        Stage("lint", (*make, "lint")),
        Stage("newest", (*make, "unit-newest"), room=2),
        Stage("sanity", (*make, "sanity")),
        *(others_tools(make) if full else ()),
    ]


def others_tools(make: tuple[str, ...]) -> list[Stage]:
    """The documentation's site, and everything on each newer ansible-core."""
    return [
        Stage("docs", (*make, "docs")),
        *(
            Stage(f"ansible-{name}", (*make, "-o", "application", "matrix", f"VERSION={name}"), room=2)
            for name in NEWER
        ),
    ]


def choose(stages: Sequence[Stage], names: Sequence[str], there: Callable[[str], bool]) -> list[Stage]:
    """The named stages, with those that they start from where these have left nothing yet.

    names: of stages, or "scenarios"; all where there are none.
    there: whether what a stage leaves for others is there already.
    """
    known = {stage.name: stage for stage in stages}
    wanted: set[str] = set()
    for name in names or known:
        if name not in known and name != "scenarios":
            raise SystemExit(f"There is no stage {name!r}; there are {', '.join(known)} and scenarios.")
        members = {name} if name != "scenarios" else {*SCENARIOS, *FULL_SCENARIOS} & set(known)
        wanted |= members
    for name in sorted(wanted):
        wanted |= {before for before in known[name].after if not there(before)}
    return [
        Stage(stage.name, stage.command, tuple(name for name in stage.after if name in wanted), stage.room)
        for stage in stages
        if stage.name in wanted
    ]


def has_snapshot(stage: str) -> bool:
    """Whether the snapshot that a scenario leaves for others is there."""
    names = [name for name, scenario in SNAPSHOT_OF.items() if scenario == stage]
    words = [sys.executable, str(CHECKOUT / "molecule/shared/sandbox.py"), "snapshots"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return {line.split()[0] for line in done.stdout.splitlines() if line} >= set(names)


def at_once(cores: int, memory: int) -> int:
    """How many stages run at once: one more than there are processors, as much of a scenario is waiting.

    memory: gigabytes that are available.
    """
    return max(1, min(cores + 1, memory // GIGABYTES_A_STAGE))


def available_memory() -> int:
    """Gigabytes."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024**2
    return GIGABYTES_A_STAGE


# --- running them ---


class InterruptedRunError(Exception):
    """Nobody waits for the rest; its text says why."""


class Runner:
    """Runs stages, at most `room` of them at once, each with a log in a directory of logs.

    deadline: seconds after which what still runs is ended; 0 for none.
    again_until: a stage that failed is run once more if that ends by then, as it seems; seconds, 0 for never.
    """

    def __init__(
        self,
        logs: Path,
        room: int,
        deadline: float = 0,
        out: TextIO = sys.stdout,
        again_until: float = 0,
    ) -> None:
        self.logs = logs
        self.room = room
        self.deadline = deadline
        self.again_until = again_until
        self.out = out
        self.results: list[Result] = []
        # How stages failed that are run once more.
        self.first: dict[str, Result] = {}
        self._running: dict[str, tuple[Stage, subprocess.Popen[bytes], float]] = {}
        # Of this kind a signal handler may put something into it.
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._start = time.monotonic()

    @property
    def now(self) -> float:
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        print(f"[{clock(self.now)}] {text}", file=self.out, flush=True)

    def interrupt(self, *_signal: object) -> None:
        """End what runs, from another thread or a signal handler."""
        self._ended.put(INTERRUPTED)

    def run(self, stages: Sequence[Stage]) -> list[Result]:
        """The results, in the order in which the stages ended; InterruptedRunError when not all could run."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for stage in stages:
            self.log(stage.name).unlink(missing_ok=True)
            self.log(stage.name, first=True).unlink(missing_ok=True)
        waiting = list(stages)
        try:
            while waiting or self._running:
                waiting = self._leave_out(waiting)
                for stage in self._ready(waiting):
                    waiting.remove(stage)
                    self._begin(stage)
                if self._running:
                    result = self._end(self._next_end())
                    if self._worth_another(result):
                        self._put_back(result)
                        waiting.append(result.stage)
        except InterruptedRunError as reason:
            self._stop(str(reason))
            self.results += [Result(stage, self.now, 0, f"not run: {reason}") for stage in waiting]
            raise
        return self.results

    def _worth_another(self, result: Result) -> bool:
        """Whether a stage is run once more: others may be to blame, and there is time."""
        return (
            not result.passed
            and result.stage.name not in self.first
            and self.now + result.took < self.again_until
        )

    def _put_back(self, result: Result) -> None:
        """Keep how it went the first time. Those that start from it go on waiting."""
        name = result.stage.name
        self.results.remove(result)
        self.first[name] = result
        self.log(name).rename(self.log(name, first=True))
        self.say(f"{name} will be run once more")

    def _leave_out(self, waiting: list[Stage]) -> list[Stage]:
        """Those that can still run; of the others it is told why they cannot."""
        kept = list(waiting)
        for stage in waiting:
            failed = [
                result.stage.name
                for result in self.results
                if result.stage.name in stage.after and not result.passed
            ]
            if failed:
                kept.remove(stage)
                self.results.append(Result(stage, self.now, 0, f"not run: {', '.join(failed)} did not pass"))
        return kept if len(kept) == len(waiting) else self._leave_out(kept)

    def _ready(self, waiting: Sequence[Stage]) -> Iterator[Stage]:
        passed = {result.stage.name for result in self.results if result.passed}
        for stage in list(waiting):
            used = sum(min(other.room, self.room) for other, _process, _began in self._running.values())
            if passed.issuperset(stage.after) and used + min(stage.room, self.room) <= self.room:
                yield stage

    def _begin(self, stage: Stage) -> None:
        began = self.now
        with self.log(stage.name).open("wb") as log:
            # A session of its own, so that all of it can be ended, and Ctrl-C is for this program.
            process = subprocess.Popen(
                stage.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=CHECKOUT,
                start_new_session=True,
            )
        self._running[stage.name] = (stage, process, began)
        threading.Thread(target=self._wait, args=(stage.name, process), daemon=True).start()
        self.say(f"{stage.name} begins")

    def log(self, name: str, first: bool = False) -> Path:
        """Where a stage's output is; that of its first run, where there was a second."""
        return self.logs / f"{name}{'.first' if first else ''}.log"

    def _wait(self, name: str, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._ended.put(name)

    def _next_end(self) -> str:
        try:
            name = self._ended.get(timeout=max(0.0, self.deadline - self.now) if self.deadline else None)
        except queue.Empty:
            raise InterruptedRunError(f"no time left after {clock(self.deadline).strip()}") from None
        if name == INTERRUPTED:
            raise InterruptedRunError(INTERRUPTED)
        return name

    def _end(self, name: str, outcome: str = "") -> Result:
        stage, process, began = self._running.pop(name)
        outcome = outcome or outcome_of(process.returncode)
        if outcome == PASSED and name in self.first:
            outcome = PASSED_AGAIN
        result = Result(stage, began, self.now - began, outcome)
        self.results.append(result)
        self.say(f"{name} {result.outcome} after {clock(result.took).strip()}; its output:")
        self.out.flush()
        with self.log(name).open(encoding="utf-8", errors="replace") as log:
            shutil.copyfileobj(log, self.out)
        self.say(f"end of the output of {name}, which {result.outcome}")
        return result

    def _stop(self, reason: str) -> None:
        """End what runs, and wait for its end."""
        for sign, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
            for _stage, process, _began in self._running.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            limit = time.monotonic() + seconds
            for _stage, process, _began in self._running.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, limit - time.monotonic()))
        for name in list(self._running):
            self._end(name, f"ended: {reason}")


def outcome_of(status: int) -> str:
    if status < 0:
        return f"failed: ended by signal {-status}"
    return f"failed with status {status}" if status else PASSED


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds + 0.5) // 60:2}:{int(seconds + 0.5) % 60:02}"


def table(results: Sequence[Result], total: float, busy: float | None = None) -> str:
    """What took how long.

    total: seconds from begin to end.
    busy: part of the processors' time that was used, by whomever.
    """
    width = max((len(result.stage.name) for result in results), default=5)
    lines = [f"{'stage':{width}}  began   took  result"]
    for result in sorted(results, key=lambda result: result.began):
        lines.append(
            f"{result.stage.name:{width}}  {clock(result.began)}  {clock(result.took)}  {result.outcome}"
            if result.took
            else f"{result.stage.name:{width}}      -      -  {result.outcome}"
        )
    together = sum(result.took for result in results)
    used = "" if busy is None else f", processors {busy:.0%} busy"
    lines.append(f"{'all':{width}}         {clock(total)}  one after the other: {clock(together)}{used}")
    return "\n".join(lines)


def processor_times() -> tuple[int, int]:
    """Ticks that the processors worked, and all ticks."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def reasons(log: str) -> list[str]:
    """The lines of an output that tell why it failed, the last ones where there are many."""
    # Molecule puts a frame around what others print.
    framed = [FRAME.sub("", ANSI.sub("", line)).rstrip()[:REASON_WIDTH] for line in log.splitlines()]
    lines = [line.strip() for line in framed]
    found: list[str] = []
    for is_pytest, group in itertools.groupby(enumerate(lines), lambda item: item[1].startswith("E  ")):
        members = list(group)
        if is_pytest:
            told = [line for _number, line in members]
            found += (
                told if len(told) <= FIRST_LINES + LAST_LINES else told[:FIRST_LINES] + told[-LAST_LINES:]
            )
            continue
        for number, line in members:
            if REASON.match(line):
                found += [line, *(returned(framed[number + 1 :]) if line.startswith("fatal: ") else ())]
    return list(dict.fromkeys(found))[-REASON_LINES:]


def returned(following: Sequence[str]) -> list[str]:
    """What the lines after "fatal:" say, up to the first empty one: Ansible shows a result as YAML."""
    result = list(itertools.takewhile(bool, following))
    starts = [number for number, line in enumerate(result) if RETURNED.match(line)]
    found: list[str] = []
    for start in starts:
        rest = itertools.takewhile(lambda line: not KEY.match(line), result[start + 1 :])
        found += [result[start], *itertools.islice(rest, RETURNED_LINES - 1)]
    return found


def report(runner: Runner) -> bool:
    """Whether all passed; tells of those that did not why, and names their logs.

    It comes last, as who looks at a long run sees its end first, and perhaps nothing else.
    """
    wrong = [result for result in runner.results if not result.passed]
    passed_again = [result for result in runner.results if result.outcome == PASSED_AGAIN]
    for result in (*passed_again, *wrong):
        name = result.stage.name
        # A second run that came to an end tells what there is to tell, as far as it failed.
        logs = [runner.log(name)] if result in wrong else []
        if name in runner.first and not result.outcome.startswith("failed"):
            logs = [runner.log(name, first=True), *logs]
        there = [log for log in logs if log.exists()]
        for log in there:
            for line in reasons(log.read_text(errors="replace")):
                print(f"{name} | {line}", file=runner.out)
        where = f"; see {' and '.join(map(str, there))}" if there else ""
        print(f"{name}: {result.outcome}{where}", file=runner.out)
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="STAGE", help="or scenarios; default is everything")
    parser.add_argument("--full", action="store_true", help="with the scenarios of make test-full")
    parser.add_argument("--at-once", type=int, metavar="N", help="default: by processors and memory")
    parser.add_argument("--minutes", type=float, default=0, help="end what still runs then; 0: never")
    parser.add_argument(
        "--again-until",
        type=float,
        default=0,
        metavar="MINUTES",
        help="run a stage that failed once more if that ends by then; 0: never",
    )
    arguments = parser.parse_args()
    every = all_stages(full=arguments.full or bool({*arguments.names} & {*FULL_SCENARIOS}))
    stages = choose(every, arguments.names, has_snapshot)
    if len(stages) == 1:
        os.chdir(CHECKOUT)
        os.execvp(stages[0].command[0], stages[0].command)  # noqa: S606
    room = arguments.at_once or at_once(os.cpu_count() or 1, available_memory())
    runner = Runner(LOGS, room, arguments.minutes * 60, again_until=arguments.again_until * 60)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, runner.interrupt)
    worked, all_ticks = processor_times()
    status = 0
    try:
        runner.run(stages)
    except InterruptedRunError:
        status = 130
    worked, all_ticks = (
        after - before for after, before in zip(processor_times(), (worked, all_ticks), strict=True)
    )
    print(f"\n{table(runner.results, runner.now, worked / max(1, all_ticks))}")
    passed = report(runner)
    return status or (0 if passed else 1)


if __name__ == "__main__":
    sys.exit(main())
