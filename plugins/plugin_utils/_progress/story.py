# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is doing, phase by phase, and what its lines say; knows neither Ansible nor a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...module_utils._tables import cell, table
from .texts import block, elapsed, first_line, fit, hosts_label

# Texts with what they are: a key of COLOURS in the callback, or nothing.
Line = Sequence[tuple[str, str]]

# What takes less is done "at once" for a reader: it gets no time, and without events no line.
NOTEWORTHY = 1.0
_WORD = 9
_PHASE = 32


@dataclass
class Event:
    """Something of a phase that is told: a change, a message, a warning, a failure."""

    word: str
    text: str
    kind: str
    below: list[str] = field(default_factory=list)

    def lines(self, columns: int | None) -> list[Line]:
        text = fit(self.text, max(columns - 5 - _WORD, 20)) if columns else self.text
        first: Line = [("    ", ""), (f"{self.word:<{_WORD}}", self.kind), (text, "")]
        return [first, *([(line, "")] for text in self.below for line in block(text, 4 + _WORD))]


@dataclass
class Notice:
    """A warning or an error, told in full at the end."""

    word: str
    hosts: list[str]
    task: str
    text: str
    place: str = ""
    rescued: bool = False
    # The part of the text that a playbook can hand on; empty where that is hidden.
    message: str = ""

    def echoes(self, before: Notice) -> bool:
        """Whether it hands on an earlier one of the same hosts, and that is all."""
        handed_on = before.rescued and not self.rescued and bool(self.message)
        return handed_on and self.message == before.message and set(self.hosts) <= set(before.hosts)

    def lines(self) -> list[Line]:
        kind = "failed" if self.word == "ERROR" and not self.rescued else "warning"
        where = ": ".join(part for part in (hosts_label(self.hosts), self.task) if part)
        handled = "  (dealt with: the tasks for this case ran)" if self.rescued else ""
        head: Line = [(f"{self.word}  ", kind), (where, ""), (handled, "quiet")]
        place: list[Line] = [[(f"  at {self.place}", "quiet")]] if self.place else []
        return [head, *([(line, "")] for line in block(self.text, 2)), *place]


@dataclass
class Work:
    """One task, over all of its hosts."""

    name: str
    since: float
    running: set[str] = field(default_factory=set)
    changed: list[str] = field(default_factory=list)
    # What it wants people to read: debug's messages, differences, the times of a module's own steps.
    below: list[str] = field(default_factory=list)
    says: bool = False
    attempt: str = ""
    items: int = 0
    items_failed: list[str] = field(default_factory=list)
    checks: bool = False


class Story:
    """Takes events and says lines: at once, or (gathers) those of a phase when it ends, below its time."""

    def __init__(self, say: Callable[[Line], None], *, gathers: bool, done: str, failed: str) -> None:
        self._say = say
        self._gathers = gathers
        # What stands below a phase is cut to the terminal's width; in full it comes at the end.
        self.columns: Callable[[], int | None] = lambda: None
        self._marks = {"ok": done, "failed": failed}
        self._events: list[Event] = []
        self._headed = False
        self._state = "ok"
        self.phase = ""
        self.since = 0.0
        self.hosts: set[str] = set()
        self.works: dict[str, Work] = {}
        self.notices: list[Notice] = []
        self._told_running = 0.0

    # --- phases

    def enter(self, phase: str, now: float) -> None:
        """Another phase begins, unless it is the same."""
        if phase == self.phase:
            return
        self.leave(now)
        self.phase, self.since, self._told_running = phase, now, now

    def leave(self, now: float) -> None:
        """The phase ends; it gets lines if something was told of it, or if it took its time."""
        self.finish(now)
        if self.phase and (self._events or self._headed or now - self.since >= NOTEWORTHY):
            time = elapsed(now - self.since)
            if self._gathers:
                self._head(time)
            elif self._headed:
                self._say([("    ", ""), (f"{'took':<{_WORD}}{time}", "quiet")])
            else:
                self._say([(f"{self.phase:<{_PHASE}}", ""), (time, "quiet")])
        self.phase, self._state, self._headed = "", "ok", False

    def _head(self, time: str) -> None:
        """What was gathered, below the phase."""
        self._say(
            [(f"{self._marks[self._state]} ", self._state), (f"{self.phase:<{_PHASE}}", ""), (time, "quiet")]
        )
        for event in self._events:
            for line in event.lines(self.columns()):
                self._say(line)
        self._events = []

    def tell(self, event: Event) -> None:
        """Have an event among the lines of the phase."""
        if event.kind == "failed":
            self.spoil()
        if self._gathers:
            self._events.append(event)
            return
        if not self._headed:
            self._headed = True
            self._say([(self.phase, "")])
        for line in event.lines(self.columns()):
            self._say(line)

    def spoil(self) -> None:
        """The phase does not come to its end."""
        self._state = "failed"

    # --- tasks

    def begin(self, key: str, name: str, now: float) -> Work:
        """The task of that key, which may be known already."""
        return self.works.setdefault(key, Work(name, now))

    def finish(self, now: float, *keys: str) -> None:
        """These tasks, or all, have ended on every host: what they did is told."""
        for key in keys or tuple(self.works):
            work = self.works.pop(key, None)
            if work is None or not (work.changed or work.below):
                continue
            word, kind = ("would" if work.checks else "changed", "changed")
            if not work.changed:
                word, kind = ("says" if work.says else "found"), "quiet"
            others = self.hosts - set(work.changed)
            hosts = f"  ({hosts_label(work.changed)})" if work.changed and others else ""
            took = now - work.since
            time = f"  {elapsed(took)}" if took >= NOTEWORTHY else ""
            self.tell(Event(word, f"{work.name}{hosts}{time}", kind, work.below))

    def warn(self, notice: Notice) -> None:
        """Remember a warning for the end, once, and say its beginning now."""
        for known in self.notices:
            if (known.word, known.text) == (notice.word, notice.text):
                known.hosts += [host for host in notice.hosts if host not in known.hosts]
                return
        self.notices.append(notice)
        self.tell(Event("warning", first_line(notice.text), "warning"))

    def fail(self, notice: Notice, on: str = "") -> None:
        """Remember an error for the end, and say its beginning now."""
        self.tell(Event("failed", f"{notice.task}{on}: {first_line(notice.text)}", "failed"))
        for known in self.notices:
            same = (known.word, known.task, known.text, known.rescued)
            if same == (notice.word, notice.task, notice.text, notice.rescued):
                known.hosts += notice.hosts
                return
        self.notices.append(notice)

    # --- what is being done now

    def _slowest(self) -> Work | None:
        running = [work for work in self.works.values() if work.running]
        return min(running, key=lambda work: work.since) if running else None

    def _waits_for(self, work: Work) -> str:
        parts = [work.attempt] if work.attempt else []
        if work.items:
            parts.append(f"{work.items} items done")
        if len(self.hosts) > 1:
            parts.append(hosts_label(sorted(work.running)))
        return f" ({', '.join(parts)})" if parts else ""

    def now(self, now: float, mark: str) -> str:
        """One line: the phase and its time, the task and its time."""
        if not self.phase:
            return ""
        line = f"{mark} {self.phase}  {elapsed(now - self.since)}"
        work = self._slowest()
        if work is None:
            return line
        took = now - work.since
        time = f"  {elapsed(took)}" if took >= NOTEWORTHY and work.since > self.since else ""
        return f"{line}  {work.name}{self._waits_for(work)}{time}"

    def still(self, now: float, after: float) -> None:
        """Where no line is drawn in place: what has been running for so long is told every so often."""
        work = self._slowest()
        if work is None or now - max(work.since, self._told_running) < after:
            return
        self._told_running = now
        self.tell(
            Event("running", f"{work.name}{self._waits_for(work)}  {elapsed(now - work.since)}", "quiet")
        )

    # --- the end

    def tell_notices(self) -> None:
        """Warnings and errors in full, the errors last."""
        for notice in without_echoes(sorted(self.notices, key=lambda notice: notice.word == "ERROR")):
            self._say([("", "")])
            for line in notice.lines():
                self._say(line)


def without_echoes(notices: Sequence[Notice]) -> list[Notice]:
    """Tasks in `rescue` that clean up and then fail with what they were called for add nothing to it."""
    kept: list[Notice] = []
    for notice in notices:
        echoed = [before for before in kept if notice.echoes(before)]
        for before in echoed:
            before.rescued = False
        if not echoed:
            kept.append(notice)
    return kept


def summary(counts: dict[str, dict[str, int]]) -> str:
    """A table of what happened on each host; a column is there where it has a number."""
    names = {"changed": "changed", "failures": "failed", "unreachable": "unreachable", "ignored": "ignored"}
    shown = [key for key in names if key == "changed" or any(count[key] for count in counts.values())]
    rows = [[cell(host, 40), *(count[key] for key in shown)] for host, count in sorted(counts.items())]
    headers = ["HOST", *(names[key].upper() for key in shown)]
    return table(headers, rows, right=range(1, len(headers)))
