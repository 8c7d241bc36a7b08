# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the daily commands are asked for, and what stands in their way."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _operations_settings as settings

ALLOWED = {"lines": 100_000, "format": ["list", "json"]}
GOOD = {
    "service": "all",
    "lines": 100,
    "since": "",
    "before": "2h30m",
    "level": "",
    "pattern": "a.*b",
    "format": "json",
}


def test_good_settings_have_no_problems() -> None:
    assert settings.problems(GOOD, ALLOWED) == []


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        (
            "service",
            "redis",
            'service: "redis" is not a service of Mission Control. Use -e service= with one of backend, '
            "worker, frontend, gateway, all.",
        ),
        ("lines", 0, 'lines: "0" is not a number from 1 to 100000.'),
        ("lines", "many", 'lines: "many" is not a number from 1 to 100000.'),
        ("lines", "100001", 'lines: "100001" is not a number from 1 to 100000.'),
        ("since", "soon", f'since: "soon" is not a valid time. Use {settings.TIMES}.'),
        ("before", "25:99", f'before: "25:99" is not a valid time. Use {settings.TIMES}.'),
        (
            "level",
            "loud",
            'level: "loud" is not a valid level. Use one of trace, debug, info, warning, error, critical.',
        ),
        ("pattern", "(", 'pattern: "(" is not a valid regular expression.'),
        ("format", "xml", 'format: "xml" is not a valid choice. Use list or json.'),
    ],
)
def test_a_mistake_is_told_with_its_remedy(name: str, value: Any, problem: str) -> None:
    assert settings.problems({**GOOD, name: value}, ALLOWED) == [problem]


def test_all_mistakes_are_told_at_once_and_numbers_may_have_no_end() -> None:
    assert settings.problems({"lines": "x", "format": "yaml"}, {"format": ["table", "json"]}) == [
        'lines: "x" is not a number of at least 1.',
        'format: "yaml" is not a valid choice. Use table or json.',
    ]
    assert settings.problems({"lines": 10**9}, {}) == []


def test_what_keeps_services_from_being_started_everywhere() -> None:
    plans = {
        "a": {"unreachable": True, "msg": "No route."},
        "b": {"msg": "the release is missing", "failed": True},
        "c": {"skipped": True, "msg": "Conditional result was False"},
        "d": {"actions": []},
        "e": {"msg": "No such user.", "failed": True},
    }
    assert settings.obstacles(plans) == [
        "a is unreachable: see that it runs and answers this: ansible a -m ping.",
        "b: the release is missing.",
        "e: No such user.",
    ]


STATE = {"root": "/r", "user": "u", "data": False, "database": False, "kept": "", "gateway_user": ""}


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        (
            {},
            [
                "/r/shared/identity",
                "/r/shared/backups",
                "the history",
                "the database",
                "Redis",
                "the user u",
                "packages",
            ],
        ),
        ({"data": True, "database": True}, ["Redis", "the user u", "packages"]),
        (
            {"data": True, "kept": "/old", "gateway_user": "g"},
            [
                "/old (from before this collection)",
                "the database",
                "Redis",
                "the user u",
                "packages",
                "the user g",
            ],
        ),
        (
            {"database": True, "gateway_user": "g"},
            [
                "/r/shared/identity",
                "/r/shared/backups",
                "the history",
                "Redis",
                "the user u",
                "packages",
                "the gateway's data of the user g",
                "the user g",
            ],
        ),
        # One user for both.
        ({"data": True, "database": True, "gateway_user": "u"}, ["Redis", "the user u", "packages"]),
    ],
)
def test_what_an_uninstallation_leaves(changes: dict[str, Any], left: list[str]) -> None:
    assert settings.left_behind({**STATE, **changes}) == left
