"""Recorded answers, and a context without network or passing time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.openclaw.mission_control.plugins.module_utils._application.installation import (
    Installation,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.answer import Answer
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.client import Client
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.common_options import COMMON
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.context import Context, Shared
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.http_context import HttpContext
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS, defaults
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.waiting import Clock

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
TOKEN = "a-token-that-must-never-be-seen-anywhere/in+any=form-0123456789"
# The answers were recorded then.
NOW = 1795526400.0


def load(name: str) -> dict[str, Any]:
    return dict(json.loads((FIXTURES / "responses" / f"{name}.json").read_text()))


def answer_of(recorded: Mapping[str, Any], url: str = "http://127.0.0.1:8000") -> Answer:
    body = recorded["body"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = recorded["request"]
    return Answer(
        request["method"],
        url + request["path"],
        recorded["status"],
        {name.lower(): value for name, value in recorded["headers"].items()},
        raw,
        {"resolve": 0.1, "connect": 0.2, "first_byte": 5.0, "transfer": 0.1, "total": 5.4},
    )


class FakeTime:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now: float = NOW) -> None:
        self.start = now
        self.passed = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds

    def clock(self, random: float = 0.5) -> Clock:
        return Clock(
            monotonic=lambda: self.passed,
            now=lambda: self.start + self.passed,
            sleep=self.sleep,
            random=lambda: random,
        )


class Replay(Client):
    """A client that answers from a table: path (with or without query) to a recorded answer or a function."""

    def __init__(self, table: Mapping[str, Any], url: str = "http://127.0.0.1:8000") -> None:
        super().__init__(url, token=TOKEN)
        self.table = table
        self.asked: list[str] = []

    def request(self, method: str, path: str, **options: Any) -> Answer:
        url = path if "://" in path else self.url + path
        parameters = {
            key: value for key, value in (options.get("parameters") or {}).items() if value is not None
        }
        parts = urlsplit(url)
        relative = url.removeprefix(self.url)
        self.asked.append(f"{method} {relative} {sorted(parameters.items())}")
        for key in (f"{method} {relative}", relative, parts.path):
            if key in self.table:
                entry = self.table[key]
                break
        else:
            entry = load("gateway-singular-path")
        if callable(entry):
            entry = entry({**dict(parse_qsl(parts.query)), **parameters}, options)
        if isinstance(entry, Answer):
            return entry
        return answer_of(entry if isinstance(entry, Mapping) else load(entry), self.url)


def options_of(check: str, **given: Any) -> dict[str, Any]:
    unknown = set(given) - set(CHECKS[check])
    assert not unknown, unknown
    return {**defaults(CHECKS[check]), **given}


def common(**given: Any) -> dict[str, Any]:
    assert not set(given) - set(COMMON)
    return {**defaults(COMMON), **given}


def make_context(
    table: Mapping[str, Any] | None = None, time: FakeTime | None = None, name: str = "", **given: Any
) -> HttpContext:
    client = Replay(table or {})
    redactor = Redactor([TOKEN])
    client.redactor = redactor
    host = Installation(user="", root="/nonexistent", env_file="/nonexistent/.env", redactor=redactor)
    shared = Shared(common(**given), redactor, host, (time or FakeTime()).clock(), "host1", transport=client)
    return HttpContext(Context(shared, name))
