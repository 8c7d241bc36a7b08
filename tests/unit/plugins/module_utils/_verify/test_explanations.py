"""The table of causes: each row is alive, names what exists, and no two explain each other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.causes import APART
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanation import (
    ORDER,
    Finding,
    Match,
    Row,
    place,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations import (
    address,
    disk_full,
    maintenance,
    not_deployed,
    user_manager,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict

sys.path.insert(0, str(Path(__file__).resolve().parents[5] / "docs"))

from writer.kinds import HOST, Kind, kinds
from writer.specimens import consequences, specimens

PLUGINS = "ansible_collections.openclaw.mission_control.plugins"
KINDS = kinds()
NAMES = {item.kind for item in KINDS}
FINDINGS = specimens(KINDS)


def matches() -> Iterator[tuple[str, Match]]:
    for row in ROWS:
        for match in (*row.causes, *row.effects):
            yield row.name, match


def test_every_kind_and_every_place_that_a_row_names_exists() -> None:
    for name, match in matches():
        assert match.kinds | match.but <= NAMES, (name, (match.kinds | match.but) - NAMES)
        assert not match.family or any(kind.startswith(match.family) for kind in NAMES), name
        for path in match.at:
            assert path.partition(".")[0] in CHECKS, (name, path)
    assert NAMES >= APART
    assert {path.partition(".")[0] for path in ORDER} == set(CHECKS)


def test_names_of_rows_are_unique_and_each_says_why() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all(row.reason.endswith(".") for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_line_of_a_row_can_come_true(row: Row) -> None:
    for cause in row.causes:
        for effect in row.effects:
            if any(True for _pair in consequences(Row("", (cause,), (effect,), ""), FINDINGS)):
                break
        else:
            pytest.fail(f"{cause} explains nothing that comes after it")
    for effect in row.effects:
        alone = Row("", row.causes, (effect,), "")
        assert any(True for _pair in consequences(alone, FINDINGS)), f"{effect} is never explained"


def test_no_two_rows_explain_each_other() -> None:
    """Where the same row holds both ways, as among equal findings, the first of them is the cause."""
    found: dict[tuple[int, int], set[str]] = {}
    for row in ROWS:
        causes = [item for item in FINDINGS if any(match.holds(item) for match in row.causes)]
        for match in row.effects:
            for effect in filter(match.holds, FINDINGS):
                for cause in causes:
                    if effect.path != cause.path and match.follows(cause, effect):
                        found.setdefault((cause.number, effect.number), set()).add(row.name)
    both = {
        (FINDINGS[cause].path, FINDINGS[cause].kind, FINDINGS[effect].path, FINDINGS[effect].kind)
        for (cause, effect), rows in found.items()
        if (back := found.get((effect, cause))) and not rows & back
    }
    assert both == set()


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_alone_has_the_rows_that_explain_its_findings_by_its_own(check: str) -> None:
    """Its module brings along those of maintenance and of an address, those of its own file, and no more."""
    try:
        own = import_module(f"{PLUGINS}.module_utils._verify.explanations.{check}").ROWS
    except ModuleNotFoundError:
        own = ()
    module = import_module(f"{PLUGINS}.modules.{check}_check")
    assert getattr(module, "ROWS", ()) == own
    findings = [item for item in FINDINGS if item.path.partition(".")[0] == check]
    wanted = {
        row.name
        for row in ROWS
        for cause, effect in consequences(row, findings)
        # Of one part there is one finding.
        if cause.path != effect.path
    }
    assert wanted <= {row.name for row in (maintenance.ROW, *own, address.ROW)}


@pytest.mark.parametrize(
    ("row", "checks"),
    [
        (not_deployed.ROW, {"database", "configuration"}),
        # The log is read without the manager, and what configuration cannot compare then it says itself.
        (user_manager.ROW, {"service", "host"}),
        (disk_full.ROW, {"service", "database", "host"}),
    ],
    ids=lambda item: getattr(item, "name", ""),
)
def test_a_row_of_several_checks_is_with_each_that_may_find_its_cause(row: Row, checks: set[str]) -> None:
    modules = {check: import_module(f"{PLUGINS}.modules.{check}_check") for check in CHECKS}
    assert {check for check, module in modules.items() if row in getattr(module, "ROWS", ())} == checks


def test_the_longest_path_says_where_a_finding_stands() -> None:
    def at(path: str) -> int:
        return place(Finding(path, Verdict(path)))

    assert at("configuration") < at("health") < at("configuration.headers") < at("membership.role")
    assert at("host.disk /") < at("database.login") < at("host.memory")


@pytest.mark.parametrize("item", KINDS, ids=lambda item: f"{item.kind}-{'-'.join(item.checks)}")
def test_every_kind_of_finding_says_why_and_what_to_do(item: Kind) -> None:
    if item.kind == "gateway_version":
        return  # the table of OpenClaw's versions says both
    assert item.cause
    # What a program of the host says against it is handed on, without a remedy.
    assert item.remedy or HOST in item.checks
