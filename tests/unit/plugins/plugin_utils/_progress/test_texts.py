"""Texts of results."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._progress import texts


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"msg": "bad\x1b[1m", "changed": False}, "bad [1m"),
        ({"msg": ["a", "b"]}, "a\nb"),
        ({}, "no reason was given"),
        ({"msg": "bad", "stderr": "bad", "stdout": ""}, "bad"),
        ({"msg": "bad", "stderr": "worse\nworst"}, "bad\nstderr:\n  worse\n  worst"),
        ({"msg": "bad", "rc": 2, "_ansible_x": 1, "stdout_lines": ["x"]}, 'bad\n{"rc": 2}'),
        ({"msg": "bad", "log": list(range(30)), "a": 1}, "bad\n(-v shows more: a, log)"),
        ({"msg": "secret", "censored": "hidden", "stdout": "secret"}, "hidden"),
    ],
)
def test_failures(result: dict[str, Any], text: str) -> None:
    def dump(values: dict[str, Any]) -> str:
        return json.dumps(values, indent=1 if "log" in values else None)

    assert texts.failure_text(result, dump) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"msg": "Old.", "version": "3.0", "collection_name": "a.b"}, "Old. To be removed from a.b, 3.0."),
        ({"msg": "Old", "date": "2027-01-01"}, "Old. To be removed from its source, 2027-01-01."),
        ({"msg": "Old"}, "Old"),
        ("Old\x07", "Old "),
    ],
)
def test_deprecations(given: Any, text: str) -> None:
    assert texts.deprecation_text(given) == text


@pytest.mark.parametrize(
    ("timings", "text"),
    [
        ({"npm_ci": 61.4, "uv": 0.2, "build": 9.0}, "npm ci 1 min 1 s, build 9.0 s"),
        ({"a": "b"}, ""),
        (["a"], ""),
        (None, ""),
    ],
)
def test_steps_of_modules(timings: Any, text: str) -> None:
    assert texts.steps_text(timings) == text


@pytest.mark.parametrize(
    ("text", "columns", "fitted"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 6, "日本語"), ("日本語", 5, "日本…"), ("", 3, "")],
)
def test_a_line_fits_the_terminal(text: str, columns: int, fitted: str) -> None:
    assert texts.fit(text, columns) == fitted


def test_a_collection_is_named_instead_of_its_place() -> None:
    path = "/x/collections/ansible_collections/some/thing/roles/a/tasks/main.yml:3"
    assert texts.place_of(path) == "roles/a/tasks/main.yml:3 of some.thing"
    assert texts.place_of("/x/play.yml:3") == "/x/play.yml:3"


@pytest.mark.parametrize(("hosts", "label"), [(["a"], "a"), (list("abcde"), "a, b, c, 2 more"), ([], "")])
def test_hosts(hosts: list[str], label: str) -> None:
    assert texts.hosts_label(hosts) == label
