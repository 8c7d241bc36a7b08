# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal lines of the services mean: their level, and which of them belong together.

Every line has the journal's priority 6, whatever it says, so the level is read from the text: the product's
text and JSON formats, uvicorn's own lines, Next.js, Node.js, Python tracebacks. Only what the manager itself
says, and what a program marked on purpose, is judged by its priority.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from .._host.journal import JournalEntry
from .._plain_json import parse_json

LEVELS = ("trace", "debug", "info", "warning", "error", "critical")

_NAMES = {
    "trace": "trace",
    "verbose": "trace",
    "debug": "debug",
    "info": "info",
    "information": "info",
    "notice": "info",
    "log": "info",
    "warn": "warning",
    "warning": "warning",
    "err": "error",
    "error": "error",
    "severe": "error",
    "critical": "critical",
    "crit": "critical",
    "fatal": "critical",
    "alert": "critical",
    "emerg": "critical",
    "panic": "critical",
}
_PRIORITIES = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
# What every program writes unless it says otherwise.
_DEFAULT_PRIORITY = 6

_PREFIXES = ("mission-control-", "openclaw-")

_WORD = "trace|debug|info|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# 2026-04-02 10:11:12,345 INFO app.main message
_TEXT = re.compile(
    rf"\d{{4}}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\s+"
    rf"(?:\[)?(?P<level>{_WORD}|level \d+)(?:\])?:?\s+(?:(?P<logger>[A-Za-z_][\w.]*)\s+)?(?P<message>.*)",
    re.IGNORECASE | re.DOTALL,
)
# INFO:     127.0.0.1:40000 - "GET /healthz HTTP/1.1" 200 OK
_UVICORN = re.compile(r"(?P<level>TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL):\s+(?P<message>.*)", re.DOTALL)
_ACCESS = re.compile(
    r'\S+ - "(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d{3})(?:\s|$)', re.IGNORECASE
)
_NEXT_SIGNS = {
    "\N{VECTOR OR CROSS PRODUCT}": "error",
    "✖": "error",
    "⚠": "warning",
    "✓": "info",
    "○": "info",
    "●": "info",
    "▲": "info",
    "»": "info",
}
_NEXT = re.compile(rf"\s*(?P<sign>[{''.join(_NEXT_SIGNS)}])\s+(?P<message>.*)", re.DOTALL)
# npm error code E404; error - something; - warn something; [warn] something
_NAMED = re.compile(
    rf"(?:npm\s+|-\s+|\[)?(?P<level>{_WORD}|ERR!)(?:\]|!|:|\s+-)?\s+(?P<message>.*)",
    re.IGNORECASE | re.DOTALL,
)
_NODE_WARNING = re.compile(r"\(node:\d+\)\s+(?:\[\w+\]\s+)?\w*Warning:")
_PYTHON_WARNING = re.compile(r"\S+:\d+: \w*Warning: ")
# asyncpg.exceptions.InvalidPasswordError: ...; TypeError: ...; [Error: ...]; Uncaught Error: ...
_EXCEPTION = re.compile(
    r"\[?(?:Uncaught |Unhandled )?(?:[A-Za-z_][\w.]*\.)?"
    r"(?:(?:[A-Z]\w*)?(?:Error|Exception)|[A-Z]\w*(?:Interrupt|Exit|Timeout|ExceptionGroup))"
    r"(?:\s*\[\w+\])?(?::|\]?$|\s*\()"
)
_TRACEBACK = re.compile(r"\s*(?:[+|]\s*)*(?:Exception Group )?Traceback \(most recent call last\):")
_BETWEEN = re.compile(
    r"\s*(?:[|]\s*)*(?:During handling of the above exception|The above exception was the direct cause)"
)
_CLOSING = re.compile(r"[\]})]+[,;]?$")

# A program writes a traceback at once: what comes later is something else.
_TOGETHER = 1.0
_MAX_LINES = 400
_MAX_TEXT = 65536
_MAX_OPEN = 64


def level_named(name: str) -> str | None:
    """One of LEVELS from any of its usual names; None for what is none."""
    return _NAMES.get(name.strip().lower())


def rank(level: str) -> int:
    """How severe a level is."""
    return LEVELS.index(level)


def at_least(level: str, minimum: str) -> bool:
    """Whether a level is the minimum or worse."""
    return rank(level) >= rank(minimum)


def _by_number(number: float) -> str:
    # As loggers of Node.js count: 10 is trace, 30 info, 60 fatal. Python's levels are ten lower.
    for limit, level in ((20, "trace"), (30, "debug"), (40, "info"), (50, "warning"), (60, "error")):
        if number < limit:
            return level
    return "critical"


@dataclass(frozen=True)
class Recognised:
    """One line. Without a level it may be the continuation of the line before."""

    level: str
    message: str
    source: str
    logger: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    traceback: bool = False


def plain(text: str) -> str:
    """The text without the colours of a terminal."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def _json_line(text: str) -> Recognised | None:
    try:
        data = parse_json(text)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    given = next((data[key] for key in ("level", "levelname", "severity", "lvl") if key in data), None)
    node = False
    if isinstance(given, str):
        level = level_named(given) or (_python_number(given) if given.isdigit() else "info")
    elif isinstance(given, (int, float)) and not isinstance(given, bool):
        node = True
        level = _by_number(float(given))
    else:
        level = ""
    message = next((data[key] for key in ("message", "msg", "event") if isinstance(data.get(key), str)), None)
    if not level and message is None:
        return None
    used = {
        "level",
        "levelname",
        "severity",
        "lvl",
        "message",
        "msg",
        "event",
        "timestamp",
        "logger",
        "app",
        "version",
    }
    fields = {key: value for key, value in data.items() if key not in used}
    exception = fields.pop("exception", None)
    text = message if message is not None else json.dumps(fields, default=str)
    if isinstance(exception, str) and exception:
        text = f"{text}\n{exception}"
    logger = data.get("logger") or data.get("name") or ""
    if node:
        fields = {key: value for key, value in fields.items() if key not in ("pid", "hostname", "time", "v")}
    return Recognised(
        level or "info",
        text,
        "json",
        str(logger) if isinstance(logger, str) else "",
        fields,
        traceback=isinstance(exception, str) and bool(exception),
    )


def _python_number(text: str) -> str:
    return _by_number(float(text) + 10)


def recognise(message: str, priority: int | None = None, from_manager: bool = False) -> Recognised:
    """What one line says about itself. An empty level means that it says nothing."""
    text = plain(message)
    if from_manager:
        number = _DEFAULT_PRIORITY if priority is None else min(max(priority, 0), 7)
        return Recognised(_PRIORITIES[number], text, "systemd")
    if text.startswith("{"):
        found = _json_line(text)
        if found is not None:
            return found
    match = _TEXT.match(text)
    if match:
        name = match["level"].lower()
        level = level_named(name) or _python_number(name.split()[-1])
        return Recognised(level, match["message"], "text", match["logger"] or "")
    match = _UVICORN.match(text)
    if match:
        access = _ACCESS.match(match["message"])
        fields: dict[str, Any] = {}
        if access:
            fields = {"method": access["method"], "path": access["path"], "status": int(access["status"])}
        return Recognised(str(level_named(match["level"])), match["message"], "uvicorn", "", fields)
    if _TRACEBACK.match(text):
        return Recognised("error", text, "plain", traceback=True)
    match = _NEXT.match(text)
    if match:
        return Recognised(_NEXT_SIGNS[match["sign"]], match["message"], "node")
    if text[:1].isspace():
        return Recognised("", text, "plain")
    if _NODE_WARNING.match(text):
        return Recognised("warning", text, "node")
    if _PYTHON_WARNING.match(text):
        return Recognised("warning", text, "plain")
    if _EXCEPTION.match(text):
        return Recognised("error", text, "plain", traceback=True)
    match = _NAMED.match(text)
    if match and (
        match["level"].isupper() or text.startswith(("npm", "-", "[")) or text[len(match["level"])] in ":!"
    ):
        name = match["level"].rstrip("!")
        return Recognised(str(level_named(name)), match["message"], "plain")
    if priority is not None and priority != _DEFAULT_PRIORITY:
        return Recognised(_PRIORITIES[min(max(priority, 0), 7)], text, "plain")
    return Recognised("", text, "plain")


@dataclass
class LogRecord:
    """A line with those that belong to it: a traceback is one record."""

    time: float
    unit: str
    identifier: str
    pid: int | None
    level: str
    message: str
    source: str
    logger: str = ""
    lines: int = 1
    traceback: bool = False
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def service(self) -> str:
        """The short name of the service: backend, worker, frontend, gateway."""
        name = self.unit.rsplit(".", 1)[0]
        if not name.startswith(_PREFIXES):
            name = self.identifier
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        return name or self.unit


@dataclass
class _Open:
    record: LogRecord
    last: float
    size: int
    tail: list[str]
    # Inside of a traceback any line belongs to it that does not say what else it is.
    loose: bool


class Assembler:
    """Makes records of journal entries, in bounded memory; each process has at most one open record."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, int | None], _Open] = OrderedDict()

    def feed(self, entry: JournalEntry) -> list[LogRecord]:
        """Take one entry; returns the records that it ends."""
        key = (entry.unit or entry.identifier, entry.pid)
        done: list[LogRecord] = []
        for number, line in enumerate(entry.message.rstrip("\n").split("\n")):
            found = recognise(line, entry.priority, entry.from_manager)
            held = self._open.get(key)
            if held is not None and self._belongs(held, found, entry.time, number > 0):
                self._append(held, found, entry.time)
                continue
            if held is not None:
                done.append(self._close(key))
            self._start(key, entry, found)
        while len(self._open) > _MAX_OPEN:
            done.append(self._close(next(iter(self._open))))
        return done

    def flush(self) -> list[LogRecord]:
        """The records that are still open."""
        return [self._close(key) for key in list(self._open)]

    def _belongs(self, held: _Open, found: Recognised, time: float, same_entry: bool) -> bool:
        record = held.record
        if record.source == "systemd" or found.source == "systemd":
            return False
        if same_entry and not found.level:
            return True
        if time - held.last > _TOGETHER or record.lines >= _MAX_LINES or held.size >= _MAX_TEXT:
            return False
        if not found.level:
            text = found.message
            if text[:1].isspace():
                # Next.js indents its own banner, which follows no error.
                return record.level in ("error", "critical", "warning") or held.loose
            return held.loose or (record.lines > 1 and bool(_CLOSING.fullmatch(text)))
        if found.source != "plain" or not found.traceback:
            return False
        # A traceback belongs to the error that announced it, an exception's name to its traceback.
        starts = bool(_TRACEBACK.match(found.message))
        if starts:
            return record.level in ("error", "critical", "warning")
        return held.loose

    def _start(self, key: tuple[str, int | None], entry: JournalEntry, found: Recognised) -> None:
        record = LogRecord(
            time=entry.time,
            unit=entry.unit,
            identifier=entry.identifier,
            pid=entry.pid,
            level=found.level or "info",
            message="",
            source=found.source,
            logger=found.logger,
            traceback=found.traceback,
            fields=found.fields,
        )
        loose = bool(found.traceback and found.source == "plain" and _TRACEBACK.match(found.message))
        self._open[key] = _Open(record, entry.time, len(found.message), [found.message], loose)

    def _append(self, held: _Open, found: Recognised, time: float) -> None:
        held.record.lines += 1
        held.last = time
        if held.size < _MAX_TEXT:
            held.tail.append(found.message)
        held.size += len(found.message) + 1
        if found.traceback or _BETWEEN.match(found.message):
            held.record.traceback = True
        if _TRACEBACK.match(found.message):
            held.loose = True
            if rank(held.record.level) < rank("error"):
                held.record.level = "error"

    def _close(self, key: tuple[str, int | None]) -> LogRecord:
        held = self._open.pop(key)
        held.record.message = "\n".join(held.tail).rstrip()
        return held.record
