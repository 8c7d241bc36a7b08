"""The lines of a run, by phase."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._progress.story import (
    Event,
    Line,
    Notice,
    Story,
    summary,
    without_echoes,
)

NOBODY = {"changed": 0, "failures": 0, "unreachable": 0, "ignored": 0}


class Told:
    """A story and the lines that it said."""

    def __init__(self, *, gathers: bool) -> None:
        self.lines: list[str] = []
        self.story = Story(self._say, gathers=gathers, done="+", failed="x")

    def _say(self, line: Line) -> None:
        self.lines.append("".join(text for text, _kind in line).rstrip())

    def change(self, name: str, since: float, until: float, host: str = "one") -> None:
        self.story.begin(name, name, since).changed.append(host)
        self.story.finish(until)


def test_what_takes_no_time_and_changes_nothing_is_not_told() -> None:
    told = Told(gathers=False)
    told.story.enter("preflight", 0.0)
    told.story.begin("a", "Look", 0.0)
    told.story.enter("source", 0.9)
    told.story.leave(1.0)
    assert told.lines == []


def test_a_phase_that_took_its_time_is_told() -> None:
    told = Told(gathers=False)
    told.story.enter("preflight", 0.0)
    told.story.leave(61.0)
    assert told.lines == ["preflight                       1 min 1 s"]


def test_lines_are_said_when_they_happen() -> None:
    told = Told(gathers=False)
    told.story.enter("release", 0.0)
    told.change("Build", 0.0, 2.0)
    assert told.lines == ["release", "    changed  Build  2.0 s"]
    told.story.leave(3.0)
    assert told.lines[2:] == ["    took     3.0 s"]


def test_lines_are_gathered_below_the_time_of_their_phase() -> None:
    told = Told(gathers=True)
    told.story.columns = lambda: 40
    told.story.enter("release", 0.0)
    told.change("Build a thing with a name that is long", 0.0, 0.5)
    told.story.tell(Event("failed", "Start: no", "failed", ["why\nand how"]))
    assert told.lines == []
    told.story.enter("start", 12.0)
    assert told.lines == [
        "x release                         12 s",
        "    changed  Build a thing with a name…",
        "    failed   Start: no",
        "             why",
        "             and how",
    ]


def test_what_runs_on_and_on_is_told_every_so_often() -> None:
    told = Told(gathers=False)
    told.story.enter("release", 0.0)
    work = told.story.begin("a", "Build", 0.0)
    work.running.add("one")
    for now in range(65):
        told.story.still(float(now), 30.0)
    assert told.lines == ["release", "    running  Build  30 s", "    running  Build  1 min 0 s"]


@pytest.mark.parametrize(
    ("hosts", "attempt", "items", "line"),
    [
        ({"one"}, "", 0, "* release  10 s  Build  5.0 s"),
        ({"one"}, "attempt 2 of 3", 0, "* release  10 s  Build (attempt 2 of 3)  5.0 s"),
        ({"one", "two"}, "", 2, "* release  10 s  Build (2 items done, one)  5.0 s"),
    ],
)
def test_what_is_being_done_now(hosts: set[str], attempt: str, items: int, line: str) -> None:
    story = Told(gathers=True).story
    story.hosts = hosts
    story.enter("release", 0.0)
    work = story.begin("a", "Build", 5.0)
    work.running.add("one")
    work.attempt, work.items = attempt, items
    assert story.now(10.0, "*") == line


def test_nothing_is_being_done_between_phases() -> None:
    assert Told(gathers=True).story.now(1.0, "*") == ""


def notice(text: str, host: str = "one", *, rescued: bool = False, task: str = "Try") -> Notice:
    return Notice("ERROR", [host], task, text, rescued=rescued, message=text)


@pytest.mark.parametrize(
    ("notices", "kept"),
    [
        ([notice("full", rescued=True), notice("full", task="Record")], [("Try", False)]),
        ([notice("full", rescued=True), notice("other")], [("Try", True), ("Try", False)]),
        (
            [notice("full", "two", rescued=True), notice("full", task="Record")],
            [("Try", True), ("Record", False)],
        ),
        ([notice("", rescued=True), notice("", task="Record")], [("Try", True), ("Record", False)]),
        ([notice("full", rescued=True), notice("full", rescued=True)], [("Try", True), ("Try", True)]),
    ],
)
def test_an_error_that_is_handed_on_is_told_once(notices: list[Notice], kept: list[tuple[str, bool]]) -> None:
    assert [(found.task, found.rescued) for found in without_echoes(notices)] == kept


def test_errors_of_several_hosts_are_one_and_come_last() -> None:
    told = Told(gathers=False)
    told.story.enter("start", 0.0)
    told.story.fail(notice("no\nreally"))
    told.story.fail(notice("no\nreally", "two"))
    told.story.warn(Notice("WARNING", ["one"], "Look", "odd"))
    told.story.warn(Notice("WARNING", ["two"], "Look again", "odd"))
    told.lines.clear()
    told.story.tell_notices()
    assert told.lines == [
        "",
        "WARNING  one, two: Look",
        "  odd",
        "",
        "ERROR  one, two: Try",
        "  no",
        "  really",
    ]


def test_the_table_of_hosts_has_the_columns_that_it_needs() -> None:
    counts = {"b": {**NOBODY, "changed": 12}, "a": {**NOBODY, "failures": 1}}
    assert [line.split() for line in summary(counts).splitlines()] == [
        ["HOST", "CHANGED", "FAILED"],
        ["----", "-------", "------"],
        ["a", "0", "1"],
        ["b", "12", "0"],
    ]
