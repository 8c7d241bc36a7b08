# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which secrets a rotation changes, and each mistake told before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _rotation as rotation

TOKEN = "new0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdef"
VERIFIED = {"id": "r1", "document": {"outcome": {"state": "verified"}}}
FACTS: dict[str, Any] = {
    "secret": "all",
    "missing": [],
    "releases": {"current": "r1", "available": [VERIFIED]},
    "maintenance": False,
    "settings": {
        "AUTH_MODE": "local",
        "LOCAL_AUTH_TOKEN": "old",
        "DATABASE_URL": "postgresql+psycopg://mc:old@h/mc",
        "RQ_REDIS_URL": "redis://default:old@h:6379/0",
    },
    "given": {"token": TOKEN, "database": "", "redis": "", "gateway": ""},
    "external": {"database": "", "redis": ""},
    "redis": "old",
    "gateway": "g" * 32,
    "gateways": 1,
    "registrations": [{"name": "main"}, {"name": "gone", "url": "ws://g", "state": "absent"}],
}


def facts(**changes: Any) -> dict[str, Any]:
    merged = {**FACTS, **changes}
    for name in ("settings", "given", "external"):
        merged[name] = {**FACTS[name], **changes.get(name, {})}
    return merged


def test_all_of_them() -> None:
    assert rotation.plan(FACTS) == {
        "problem": "",
        "secrets": ["token", "database", "redis", "gateway", "identity"],
        "left": {},
    }


@pytest.mark.parametrize("name", rotation.SECRETS)
def test_one_of_them(name: str) -> None:
    assert rotation.plan(facts(secret=name)) == {"problem": "", "secrets": [name], "left": {}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"secret": ""},
            "secret: is not set. Use -e secret=token, database, redis, gateway, identity or all.",
        ),
        ({"secret": "tokens"}, 'secret: "tokens" is not a valid choice.'),
        ({"missing": ["h2"]}, "and h2 would be left out: run it without --limit."),
        ({"releases": {"current": None}}, "deploy first"),
        ({"maintenance": True}, "is in maintenance"),
        ({"secret": "token", "settings": {"AUTH_MODE": "clerk"}}, "users log in by Clerk"),
        ({"secret": "token", "given": {"token": "short"}}, "mission_control_token has 5 characters"),
        ({"given": {"token": "short"}}, "mission_control_token has 5 characters"),
        (
            {"secret": "token", "settings": {"LOCAL_AUTH_TOKEN": TOKEN}},
            "mission_control_token is the one that is",
        ),
        ({"secret": "database", "external": {"database": "postgresql://e/d"}}, "is not this deployment's"),
        (
            {"secret": "database", "given": {"database": "a%b"}},
            "mission_control_database_password: use letters",
        ),
        (
            {"secret": "database", "given": {"database": "old"}},
            "mission_control_database_password is the one",
        ),
        ({"secret": "database", "settings": {"DATABASE_URL": "postgresql://mc@h/mc"}}, "holds no password"),
        ({"secret": "redis", "external": {"redis": "redis://e"}}, "is not this deployment's"),
        ({"secret": "redis", "given": {"redis": "a b"}}, "redis_password: use letters"),
        ({"secret": "redis", "given": {"redis": "old"}}, "redis_password is the one that is in use"),
        ({"secret": "redis", "redis": ""}, "asks for no password"),
        ({"secret": "gateway", "gateways": 0}, "has no gateway"),
        ({"secret": "identity", "gateways": 0}, "has not exactly one gateway"),
        (
            {"secret": "identity", "registrations": [{"name": "far", "url": "wss://f"}]},
            "the gateways far, where",
        ),
        ({"secret": "gateway", "gateways": 2}, "has several gateways"),
        ({"secret": "gateway", "given": {"gateway": "short"}}, "mission_control_gateway_token is too short"),
        ({"secret": "gateway", "given": {"gateway": "g" * 32}}, "mission_control_gateway_token is the one"),
    ],
)
def test_what_cannot_be_rotated_is_told_and_no_secret_is(changes: dict[str, Any], said: str) -> None:
    found = rotation.plan(facts(**changes))
    assert said in found["problem"] and found["problem"].endswith("Nothing was changed.")
    assert found["secrets"] == [] and found["left"] == {}
    assert TOKEN not in found["problem"] and "g" * 32 not in found["problem"]


def test_of_all_those_are_left_that_cannot_be() -> None:
    changes = {"external": {"database": "postgresql://e/d"}, "gateways": 0, "given": {"redis": "old"}}
    found = rotation.plan(facts(**changes))
    assert (found["problem"], found["secrets"]) == ("", ["token"])
    assert set(found["left"]) == {"database", "redis", "gateway", "identity"}
    clerk = rotation.plan(facts(settings={"AUTH_MODE": "clerk"}, given={"token": ""}))
    assert (clerk["problem"], "token" in clerk["left"]) == ("", True)


@pytest.mark.parametrize("outcome", [{}, {"outcome": {"state": "failed"}}])
def test_an_interrupted_rotation_goes_on(outcome: dict[str, Any]) -> None:
    """What serves has the new value, but has not passed its gate."""
    untried = {"current": "r1", "available": [{"id": "r0"}, {"id": "r1", "document": outcome}]}
    settings = {"LOCAL_AUTH_TOKEN": TOKEN, "DATABASE_URL": "postgresql://mc:new@h/mc"}
    for name in ("token", "database"):
        asked = facts(secret=name, settings=settings, given={"database": "new"}, releases=untried)
        assert rotation.plan(asked)["secrets"] == [name]


def test_what_was_done_is_told() -> None:
    plan = {"secrets": ["token", "database"], "left": {"redis": "redis: none."}}
    said = rotation.sentence(plan, {"token": TOKEN, "database": ""}, predicted=False)
    assert said.startswith(
        "Rotated: token and database. What was in use before is refused. mission_control_token: keep"
    )
    assert said.endswith("\nLeft as it is: redis: none.") and TOKEN not in said
    assert rotation.sentence({"secrets": ["redis"], "left": {}}, {}, predicted=True) == "Would rotate: redis."
