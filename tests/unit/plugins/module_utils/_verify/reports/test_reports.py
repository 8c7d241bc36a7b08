"""Golden files for each report format and state, and rules that hold for every document.

The number in a Nagios file's name is the exit code. After a change that is meant:
python tests/unit/plugins/module_utils/_verify/reports/test_reports.py
"""

from __future__ import annotations

import html.parser
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.verdicts import verdict_report, verdict_table
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.baseline import compare
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks.metrics import (
    judge_range,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.report import report_of
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.document import (
    document,
    table,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.formats import (
    RENDERERS,
    render,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.nagios import exit_code
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import (
    STATES,
    Measure,
    Verdict,
    combine,
    rank,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict_data import verdict_of
from checks_support import FIXTURES, NOW, load, options_of
from hypothesis import given, settings
from hypothesis import strategies as st

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).resolve().parents[6] / "docs" / "report.schema.json"


def sample(state: str) -> dict[str, Any]:
    """A document whose worst state is the given one."""
    tricky = "a \"quoted\" <tag> | pipe & ünïcode = \\ 'x'"
    health = combine(
        "health",
        [
            Verdict(
                "/healthz",
                summary="200 in 5 ms",
                measures=[Measure("/healthz time", 5.25, "ms", "1000", "5000")],
            ),
            Verdict("/readyz", "flaky", "200 in 6 ms (at attempt 2; before: 503)", attempts=2)
            if rank(state) >= rank("flaky")
            else Verdict("/readyz", summary="200 in 6 ms"),
        ],
    )
    metrics = combine(
        "metrics",
        [
            judge_range(load(f"metrics-{name}")["body"], name, options_of("metrics"), False)
            for name in ("24h", "7d")
        ],
    )
    sessions = combine(
        "sessions",
        [
            combine(
                "board demo",
                [
                    Verdict(
                        "count",
                        summary="1 sessions",
                        evidence={"sessions": [{"key": "agent:mc-demo-1:main", "label": "Demo <agent>",
                                                "agent": "", "idle_seconds": 700, "main": False}]},
                    )
                ],
            )
        ],
    )  # fmt: skip
    verdicts = [
        health,
        metrics,
        sessions,
        Verdict("queue", "skip", "waived until 2027-01-31: ticket 5", kind="waived"),
    ]
    if rank(state) >= rank("warn"):
        verdicts.append(
            combine(
                "log",
                [
                    Verdict("mission-control-backend", "warn", tricky, cause="It said so.", remedy="Read it.",
                            kind="log_errors", evidence={"worst": [f"3 x {tricky}", "1 x other"]})
                ],
            )
        )  # fmt: skip
    if rank(state) >= rank("fail"):
        verdicts.append(
            combine("database", [Verdict("login", "fail", "connection refused",
                                         cause="PostgreSQL is stopped.", remedy="systemctl start postgresql",
                                         kind="database_down", evidence={"port": 5432})])
        )  # fmt: skip
        verdicts.append(
            Verdict(
                "agents",
                "fail",
                "GET /api/v1/agents answered 500",
                cause="x",
                remedy="y",
                kind="server_error",
            )
        )
    if state == "error":
        verdicts.append(
            Verdict("frontend", "error", "the Python library requests is missing", cause="It is missing.",
                    remedy="apt-get install python3-requests", kind="missing_library")
        )  # fmt: skip
    for number, verdict in enumerate(verdicts):
        verdict.duration_ms = 10.5 * (number + 1)
    redactor = Redactor()
    host = report_of(
        verdicts, redactor, rows=ROWS, begun=NOW, duration_ms=81.25, view="host", where="mc1", requests=33
    )
    outside = report_of(
        [Verdict("health", summary="200 in 9 ms", duration_ms=9)],
        redactor,
        rows=ROWS,
        begun=NOW + 1,
        duration_ms=9,
        view="controller",
        where="laptop",
    )
    return document("mc1.example.com", [host, outside])


def golden_name(state: str, format: str) -> str:
    code = f".{exit_code(sample(state))}" if format == "nagios" else ""
    return f"{state}{code}{RENDERERS[format][0]}"


REACHED = [state for state in STATES if state != "skip"]


@pytest.mark.parametrize("format", RENDERERS)
@pytest.mark.parametrize("state", REACHED)
def test_reports_are_as_they_were(state: str, format: str) -> None:
    assert sample(state)["state"] == state
    path = GOLDEN / golden_name(state, format)
    assert render(sample(state), format) == path.read_text(encoding="utf-8"), f"{path.name} differs"


@pytest.mark.parametrize("state", REACHED)
def test_the_table_is_as_it_was(state: str) -> None:
    assert table(sample(state), width=100) + "\n" == (GOLDEN / f"{state}.txt").read_text(encoding="utf-8")


def test_the_worst_comes_first_in_the_table() -> None:
    lines = table(sample("error"), width=100).splitlines()
    states = [
        line.split()[0] for line in lines[1:] if re.match(r"  (pass|flaky|skip|warn|fail|error) ", line)
    ]
    host = states[: states.index("skip") + 1]
    assert host == sorted(host, key=rank, reverse=True)


@pytest.mark.parametrize("state", REACHED)
def test_documents_follow_the_documented_schema(state: str) -> None:
    import jsonschema

    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(render(sample(state), "json")), schema)


def test_a_comparison_is_part_of_the_document() -> None:
    import jsonschema

    good, bad = sample("pass"), sample("fail")
    compared = document("mc1", bad["views"], compare(good, bad))
    jsonschema.validate(json.loads(render(compared, "json")), json.loads(SCHEMA.read_text()))
    assert compared["comparison"]["decision"] == "ROLLBACK"
    for format in ("markdown", "html"):
        assert "ROLLBACK" in render(compared, format)
    assert "ROLLBACK" in table(compared)


class _Page(html.parser.HTMLParser):
    """Collects what a page loads and whether its elements are closed."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.loads += [str(values[key]) for key in ("src", "href", "srcset", "action") if values.get(key)]
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if values.get("aria-labelledby"):
            self.labelled.append(str(values["aria-labelledby"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "svg":
            assert values.get("role") == "img" and (values.get("aria-label") or values.get("aria-labelledby"))
        if tag == "th":
            assert values.get("scope")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()


@pytest.mark.parametrize("state", REACHED)
def test_the_page_needs_nothing_else_and_is_well_formed(state: str) -> None:
    text = render(sample(state), "html")
    page = _Page()
    page.feed(text)
    assert page.open == [] and page.loads == []
    assert len(set(page.ids)) == len(page.ids)
    assert set(page.labelled) <= set(page.ids)
    assert page.headings[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(page.headings))
    assert "<script" not in text and "http-equiv" in text and 'lang="en"' in text
    assert "<tag>" not in text and "Demo &lt;agent&gt;" in text
    assert text.count("<svg") == 2 + 2 * 4


@pytest.mark.parametrize("state", REACHED)
def test_junit_counts_what_it_holds(state: str) -> None:
    root = ElementTree.fromstring(render(sample(state), "junit"))  # noqa: S314  (our own text)
    suites = root.findall("testsuite")
    assert [suite.get("hostname") for suite in suites] == ["mc1", "laptop"]
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{tag}"))
        assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    assert int(root.get("tests", "")) == sum(len(suite.findall("testcase")) for suite in suites)


@pytest.mark.parametrize("state", REACHED)
def test_tap_is_one_that_a_harness_reads(state: str) -> None:
    found = sample(state)
    version, plan, title, *lines = render(found, "tap").splitlines()
    assert version == "TAP version 13" and title.startswith("# ")
    points = [
        re.fullmatch(r"(not ok|ok) (\d+) - ((?:[^#\\]|\\.)+?)( # SKIP .+)?", line)
        for line in lines
        if line[0] != " "
    ]
    assert all(points) and plan == f"1..{len(points)}"
    assert [int(point[2]) for point in points if point] == list(range(1, len(points) + 1))
    leaves = [
        leaf
        for view in found["views"]
        for data in view["verdicts"]
        for _path, leaf in verdict_of(data).leaves()
    ]
    assert [point[1] for point in points if point] == [
        "not ok" if leaf.state in ("fail", "error") else "ok" for leaf in leaves
    ]
    assert [bool(point[4]) for point in points if point] == [leaf.state == "skip" for leaf in leaves]
    blocks = re.findall(r"^  ---\n(.*?)^  \.\.\.$", "\n".join(lines), re.MULTILINE | re.DOTALL)
    told = [yaml.safe_load(block) for block in blocks]
    assert [(one["state"], one.get("message", "")) for one in told] == [
        (leaf.state, leaf.summary) for leaf in leaves if leaf.state not in ("pass", "skip")
    ]


SAMPLE = re.compile(
    r'^(?P<name>[a-zA-Z_:][\w:]*)(?P<labels>\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})?'
    r" (?P<value>\S+)$"
)


@pytest.mark.parametrize("state", REACHED)
def test_the_exposition_is_one_that_prometheus_reads(state: str) -> None:
    seen: set[str] = set()
    families: list[str] = []
    for line in render(sample(state), "prometheus").splitlines():
        if line.startswith("# "):
            _hash, kind, family, rest = line.split(" ", 3)
            if kind == "TYPE":
                assert rest == "gauge" and family not in families
                families.append(family)
            continue
        match = SAMPLE.match(line)
        assert match, line
        assert match["name"] == families[-1]
        float(match["value"])
        key = match["name"] + (match["labels"] or "")
        assert key not in seen, f"twice: {key}"
        seen.add(key)


def test_the_last_success_outlives_failures() -> None:
    good = render(sample("pass"), "prometheus")
    name = 'mission_control_verify_last_success_timestamp_seconds{instance_name="mc1.example.com"}'
    assert f"{name} {int(NOW)}" in good
    assert f"{name} 0" in render(sample("fail"), "prometheus")
    bad = sample("fail")
    bad["started"] = "2030-01-01T00:00:00+00:00"
    assert f"{name} {int(NOW)}" in render(bad, "prometheus", good)


@pytest.mark.parametrize(
    ("state", "code"), [("pass", 0), ("flaky", 0), ("warn", 1), ("fail", 2), ("error", 2)]
)
def test_exit_codes_of_nagios(state: str, code: int) -> None:
    line = render(sample(state), "nagios").splitlines()[0]
    assert exit_code(sample(state)) == code
    assert line.startswith(f"MISSION CONTROL {('OK', 'WARNING', 'CRITICAL')[code]} - ")
    assert line.count("|") == 1
    for item in re.findall(r"'(?:[^']|'')*'=\S+", line.split("|")[1]):
        assert re.fullmatch(r"'(?:[^'=]|'')*'=-?[\d.]+(s|ms|us|%|B|c)?(;[^;]*){0,4}", item), item


def test_what_could_not_be_checked_is_unknown_only_without_failures() -> None:
    found = sample("pass")
    found["views"][0]["verdicts"][0]["state"] = "error"
    assert exit_code(found) == 3


@settings(max_examples=60)
@given(
    st.text(max_size=60), st.sampled_from(REACHED), st.floats(allow_infinity=False, allow_nan=False, width=32)
)
def test_any_text_and_figure_can_be_reported(text: str, state: str, value: float) -> None:
    verdict = Verdict(
        "x",
        state,
        text,
        cause=text,
        remedy=text,
        kind="k",
        evidence={"e": text},
        measures=[Measure(text, value, "ms", "5", "6")],
    )
    found = document(
        text or "n",
        [report_of([verdict], Redactor(), rows=ROWS, begun=NOW, duration_ms=1, view="host", where="h")],
    )
    for format in RENDERERS:
        written = render(found, format)
        assert written.endswith("\n")
        written.encode("utf-8", "strict" if format != "json" else "surrogatepass")
    ElementTree.fromstring(render(found, "junit"))  # noqa: S314
    page = _Page()
    page.feed(render(found, "html"))
    assert page.open == []
    assert render(found, "nagios").splitlines()[0].count("|") == 1
    assert table(found)


def test_filters_take_reports_and_documents() -> None:
    found = sample("warn")
    assert verdict_table(found, width=100) + "\n" == (GOLDEN / "warn.txt").read_text()
    assert verdict_report([found["views"][0]], "nagios", "mc1").startswith("MISSION CONTROL WARNING - mc1")
    assert "mc1 from the host itself" in verdict_table(found["views"][0])
    with pytest.raises(AnsibleFilterError, match="unknown format 'pdf'"):
        verdict_report(found, "pdf")
    for wrong in ([], "x", [{"a": 1}]):
        with pytest.raises(AnsibleFilterError, match="expected the result of verify"):
            verdict_table(wrong)


def test_no_report_holds_what_the_document_does_not() -> None:
    assert FIXTURES.is_dir()
    for format in RENDERERS:
        assert "EXAMPLE-GATEWAY-TOKEN" not in render(sample("error"), format)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for one in REACHED:
        for kind in RENDERERS:
            (GOLDEN / golden_name(one, kind)).write_text(render(sample(one), kind), encoding="utf-8")
        (GOLDEN / f"{one}.txt").write_text(table(sample(one), width=100) + "\n", encoding="utf-8")
