"""What reaches a terminal, a report or a program from a host: nothing that any of them acts upon."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.action import adoption
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.json_text import escape
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.screen import Screen
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._tables import cell
from ansible_collections.openclaw.mission_control.plugins.module_utils._terminal import (
    clean,
    clean_data,
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
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _release_steps, _service_tables

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
    return report_of(
        verdicts, Redactor(), rows=ROWS, begun=1e9, duration_ms=1.0, view="host", where=text, requests=1
    )


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


def test_what_is_said_of_an_adoption_and_of_a_release_that_failed() -> None:
    public = {"tree": HOSTILE, "kind": "guide", "revision": HOSTILE, "entries": ["x"], "identity": HOSTILE}
    units = [{"name": HOSTILE, "active": True}]
    processes = [{"part": HOSTILE, "pids": [1]}]
    found = {"public": {**public, "units": units, "processes": processes}, "kept": HOSTILE}
    assert acted_upon(adoption.summary("host", found, f"table {HOSTILE}")) == []
    verdict = {"name": HOSTILE, "summary": HOSTILE, "remedy": HOSTILE}
    for failure in ({"message": HOSTILE}, {"message": "", "verdicts": [verdict]}):
        told = {"release": HOSTILE, "current": HOSTILE, **failure}
        aftermath = {
            "action": "stop",
            "target": HOSTILE,
            "migrated": {"applied": [HOSTILE], "backup": HOSTILE},
        }
        assert acted_upon(_release_steps.failure_text(told, aftermath)) == []


PASSES = {
    "text": "Grüße, 世界\n\tx\b\r\n",
    "colours": "\x1b[1;31mred\x1b[0m \x1b[38:5:12mx\x1b[m",
    "moving and erasing": "\x1b[2J\x1b[H\x1b[10;5H\x1b[K\x1b[2A\x1b[3C\x1b[1@\x1b[2P",
    "a pager": "\x1b[?1049h\x1b[?1h\x1b=\x1b[?25l\x1bM\x1b7\x1b8\x1b>\x1b[?1049l\x1b(B",
    "pasting in brackets": "\x1b[?2004hname=> \x1b[?2004l",
}
STOPPED = {
    "a title": "\x1b]0;PWNED\x07",
    "a title with ST": "\x1b]2;PWNED\x1b\\",
    "the clipboard": "\x1b]52;c;UFdORUQ=\x07",
    "a colour that is asked for": "\x1b]11;?\x07",
    "a device string": '\x1bP$q"p\x1b\\',
    "a private message": "\x1b^x\x1b\\\x1b_y\x1b\\\x1bXz\x1b\\",
    "where the cursor is": "\x1b[6n",
    "what the terminal is": "\x1b[c\x1b[>c\x1b[>q\x1b[0x\x1bZ",
    "the title, typed back": "\x1b[21t",
    "the printer": "\x1b[5i\x1b[?5i",
    "keys that are sent otherwise": "\x1b[>4;2m\x1b[>1u\x1b[?1000h\x1b[?1003h",
    "a reset": "\x1bc\x1b[!p\x1b[999999b",
    "controls of eight bits": "\x9b6n\x9d0;x\x9c\x90\x85",
    "an answer to ENQ": "\x05",
    "text turned round": "\u202e\u2066",
}


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_a_screen_shows_what_programs_need(name: str, step: int) -> None:
    screen, data = Screen(), PASSES[name].encode()
    shown = b"".join(screen(data[place : place + step]) for place in range(0, len(data), step))
    assert shown.decode() == PASSES[name]


@pytest.mark.parametrize("name", STOPPED)
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_a_screen_stops_what_the_terminal_would_act_upon_or_answer(name: str, step: int) -> None:
    screen, data = Screen(), f"before{STOPPED[name]}after".encode()
    shown = b"".join(screen(data[place : place + step]) for place in range(0, len(data), step)).decode()
    assert shown.startswith("before") and shown.endswith("after")
    assert not any(unicodedata.category(letter)[0] == "C" for letter in shown), shown


def test_a_text_without_end_is_not_kept() -> None:
    screen = Screen()
    assert screen(b"\x1b]0;") == b""
    for _ in range(100):
        assert screen(b"x" * 10_000) == b""
    assert screen(b"\x07shown") == b"shown"
