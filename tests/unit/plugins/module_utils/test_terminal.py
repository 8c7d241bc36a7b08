"""What reaches a terminal, a report or a program from a host: nothing that any of them acts upon."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._tables import cell
from ansible_collections.openclaw.mission_control.plugins.module_utils._terminal import (
    clean,
    clean_data,
    escape,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.document import (
    document,
    table,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.formats import (
    RENDERERS,
    render,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.suite import report_of
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _service_tables

HOSTILE = "\x1b]0;owned\x07 \x1b[2J \x9b31m \x90q \u202e\u2066gnp \ud800 \x7f \r go\ton"


def acted_upon(text: str) -> list[str]:
    return sorted({letter for letter in text if letter != "\n" and unicodedata.category(letter)[0] == "C"})


def test_every_character_of_category_c_but_the_line_feed() -> None:
    for number in range(0x3000):
        letter = chr(number)
        bad = unicodedata.category(letter)[0] == "C" and letter != "\n"
        assert clean(f"a{letter}b") == ("a b" if bad else f"a{letter}b"), hex(number)
    assert clean("Grüße, 世界\nund 🙂") == "Grüße, 世界\nund 🙂"
    assert acted_upon(cell(HOSTILE)) == [] and "\n" not in cell("a\nb")


def test_data_and_its_names() -> None:
    found = clean_data({HOSTILE: [HOSTILE, {"a": (HOSTILE, 1, None, True)}]})
    assert acted_upon("".join(str(found))) == []
    assert next(iter(found.values()))[1]["a"][1:] == [1, None, True]


def test_json_of_others_stays_json() -> None:
    line = json.dumps({"MESSAGE": "\x9b31m \u202e 🙂 \U000e0001"}, ensure_ascii=False)
    assert acted_upon(escape(line)) == [] and json.loads(escape(line)) == json.loads(line)


def report(text: str) -> dict[str, Any]:
    verdicts = [
        Verdict(
            "log",
            "fail",
            text,
            cause=text,
            remedy=text,
            kind="k",
            evidence={text: [text]},
            checks=[Verdict(text, "fail", text)],
        ),
        Verdict("health", "warn", text, cause=text, remedy=text, kind="k"),
    ]
    return report_of(verdicts, Redactor(), begun=1e9, duration_ms=1.0, view="host", where=text, requests=1)


@pytest.mark.parametrize("format", [*RENDERERS, "table", "colours"])
def test_every_report(format: str) -> None:
    found = document(HOSTILE, [report(HOSTILE)])
    if format == "colours":
        text = table(found, colour=True)
        for code in ("\033[31;1m", "\033[33m", "\033[0m"):
            text = text.replace(code, "")
    else:
        text = table(found) if format == "table" else render(found, format)
    assert "owned" in text
    assert acted_upon(text) == []
    if format == "json":
        assert text.isascii()


def test_markdown_calls_nobody_and_links_nowhere() -> None:
    text = "@team see #12 at https://evil.example/x, www.evil.example &#64;all <b> [a](b) HTTP://x"
    found = render(document("host", [report(text)]), "markdown")
    for bare in ("@team", "#12", "https://", "HTTP://", "www.", "&#64;", "&#<", " <b>", " [a]"):
        assert bare not in found.replace("\\&", "\\_").replace("\\<", "\\_").replace("\\[", "\\_"), bare
    assert "team see" in found and "evil.example" in found


def test_tables_of_services_and_logs() -> None:
    results = {
        HOSTILE: {"services": [], "maintenance": HOSTILE, "current": HOSTILE},
        "other": {"problem": HOSTILE},
    }
    assert acted_upon(_service_tables.status_table(results)) == []
    entry = {
        "host": "mc1",
        "service": "backend",
        "epoch": 1e9,
        "level": HOSTILE,
        "logger": HOSTILE,
        "message": f"{HOSTILE}\n{HOSTILE}",
        "source": "json",
        "fields": {HOSTILE: HOSTILE},
    }
    assert acted_upon(_service_tables.log_list([entry])) == []
    lines = _service_tables.log_json_lines([entry])
    assert lines.isascii() and json.loads(lines)["logger"] == HOSTILE
