"""A release with other secrets: what belongs to the installation, and what to the code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import environment
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import (
    choice,
    links,
    outcome,
    overview,
    records,
    renewal,
    renewing,
    runtimes,
)
from release_world import World

ACCOUNT = Account("somebody", 1000, 1000, "/home/somebody")
OLD = {
    "DATABASE_URL": "postgresql+psycopg://mc:before@127.0.0.1:5432/mc",
    "LOCAL_AUTH_TOKEN": "a" * 20 + "0123456789" * 4,
    "LOG_LEVEL": "INFO",
    "RQ_REDIS_URL": "redis://default:before@127.0.0.1:6379/0",
}
NEW = {
    **OLD,
    "DATABASE_URL": "postgresql+psycopg://mc:after@127.0.0.1:5432/mc",
    "LOCAL_AUTH_TOKEN": "b" * 20 + "0123456789" * 4,
    "LOG_LEVEL": "DEBUG",
    "RQ_REDIS_URL": "rediss://default:after@127.0.0.1:6380/0",
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(runtimes, "MINIMUM_PYTHON", (3, 11))
    return World(tmp_path / "root")


def parameters(world: World, identifier: str, **more: Any) -> dict[str, Any]:
    return {
        "root": str(world.layout.root),
        "id": identifier,
        "backend_secrets": {},
        "backend_passwords": {},
        "made_by": "me",
        "lock_timeout": 5,
        **more,
    }


def settings(world: World, identifier: str) -> dict[str, str]:
    return environment.parse(renewal.settings_text(world.layout, identifier))


def deploy(world: World, values: Mapping[str, Any], changes: dict[str, str] | None = None) -> str:
    revision = world.bring(changes) if changes else world.spec.revision
    return world.deploy(replace(world.spec, revision=revision, backend_environment=values))


@pytest.mark.parametrize(
    ("before", "today", "taken"),
    [
        # What is named, wherever it comes from, and what is secret by name or by value.
        ({"LOCAL_AUTH_TOKEN": "old"}, {"LOCAL_AUTH_TOKEN": "new"}, {"LOCAL_AUTH_TOKEN": "new"}),
        (
            {"DATABASE_URL": "postgresql:///a"},
            {"DATABASE_URL": "postgresql:///b"},
            {"DATABASE_URL": "postgresql:///b"},
        ),
        ({"SMTP_PASSWORD": "old"}, {"SMTP_PASSWORD": "new"}, {"SMTP_PASSWORD": "new"}),
        ({"MIRROR": "https://a:b@host/"}, {"MIRROR": "https://host/"}, {"MIRROR": "https://host/"}),
        # What belongs to the code.
        ({"LOG_LEVEL": "INFO"}, {"LOG_LEVEL": "DEBUG"}, {}),
        # One that only one of them has, or that is not in use today.
        ({"OLD_API_KEY": "k"}, {"LOG_LEVEL": "DEBUG"}, {}),
        ({"LOG_LEVEL": "INFO"}, {"NEW_API_KEY": "k"}, {}),
        ({"LOCAL_AUTH_TOKEN": "old"}, {"LOCAL_AUTH_TOKEN": ""}, {}),
        ({"LOCAL_AUTH_TOKEN": ""}, {"LOCAL_AUTH_TOKEN": "new"}, {}),
        ({"RATE_LIMIT_REDIS_URL": "redis://h/1"}, {"RATE_LIMIT_REDIS_URL": ""}, {"RATE_LIMIT_REDIS_URL": ""}),
    ],
)
def test_what_belongs_to_the_installation(
    before: dict[str, str], today: dict[str, str], taken: dict[str, str]
) -> None:
    assert renewal.todays(environment.render(before), environment.render(today)) == taken


def test_what_an_operator_calls_secret_belongs_to_it_too() -> None:
    before = environment.render({"TENANT_PIN": "1"}, ["TENANT_PIN"])
    assert renewal.todays(before, environment.render({"TENANT_PIN": "2"})) == {"TENANT_PIN": "2"}
    assert (
        renewal.todays(environment.render({"TENANT_PIN": "1"}), environment.render({"TENANT_PIN": "2"})) == {}
    )


def test_an_earlier_release_gets_todays_secrets_and_keeps_its_code_and_settings(world: World) -> None:
    before = deploy(world, OLD)
    outcome.record_units(world.layout, before, [{"name": "mission-control-backend.service"}])
    outcome.mark(world.layout, before, "verified", "me", "")
    deploy(world, NEW, {"backend/app/main.py": "app = 2\n"})
    told = renewing.renew(parameters(world, before), True, ACCOUNT)
    assert told["changed"] and told["renewed"] == ["DATABASE_URL", "LOCAL_AUTH_TOKEN", "RQ_REDIS_URL"]
    assert told["id"] not in records.complete_releases(world.layout)
    shown = json.dumps(told)
    assert (
        "after" not in shown.replace("after_header", "").replace('"after":', "")
        and NEW["LOCAL_AUTH_TOKEN"] not in shown
    )

    made = renewing.renew(parameters(world, before), False, ACCOUNT)
    path = world.layout.release(made["id"])
    assert made["id"] == told["id"] and made["changed"]
    assert settings(world, made["id"]) == {
        **settings(world, before),
        **{name: NEW[name] for name in made["renewed"]},
    }
    assert settings(world, made["id"])["LOG_LEVEL"] == "INFO"
    assert settings(world, before)["LOCAL_AUTH_TOKEN"] == OLD["LOCAL_AUTH_TOKEN"]
    assert (path / "backend/.env").stat().st_mode & 0o777 == 0o600
    assert (path / "backend/app/main.py").read_text() == "app = 1\n"
    assert (path / "backend/.venv").is_symlink() and (path / "frontend/server.js").exists()
    record = records.complete_releases(world.layout)[made["id"]]
    assert record["renewed_from"] == before and records.outcome(record) == ""
    assert outcome.recorded_units(world.layout, made["id"]) == [{"name": "mission-control-backend.service"}]
    assert (
        record["fingerprints"]["frontend"]
        == records.complete_releases(world.layout)[before]["fingerprints"]["frontend"]
    )

    again = renewing.renew(parameters(world, before), False, ACCOUNT)
    assert not again["changed"] and again["id"] == made["id"]
    # It is up to date now, and so is what serves.
    assert renewing.renew(parameters(world, made["id"]), False, ACCOUNT)["renewed_from"] == before


def test_it_has_the_name_that_a_deployment_with_these_settings_gives_it(world: World) -> None:
    before = deploy(world, OLD)
    made = renewing.renew(
        parameters(
            world,
            before,
            backend_secrets={"LOCAL_AUTH_TOKEN": NEW["LOCAL_AUTH_TOKEN"]},
            backend_passwords={"DATABASE_URL": "after"},
        ),
        False,
        ACCOUNT,
    )
    wanted = {**OLD, "LOCAL_AUTH_TOKEN": NEW["LOCAL_AUTH_TOKEN"], "DATABASE_URL": NEW["DATABASE_URL"]}
    plan = world.plan(replace(world.spec, backend_environment=wanted))
    assert plan.identifier == made["id"] and plan.steps == []


def test_nothing_is_made_where_nothing_differs(world: World) -> None:
    current = deploy(world, OLD)
    assert renewing.renew(parameters(world, current), False, ACCOUNT)["id"] == current
    alone = world.prepare(replace(world.spec, components=("frontend",)))
    rotated = {
        "backend_secrets": {"LOCAL_AUTH_TOKEN": "t"},
        "backend_passwords": {"DATABASE_URL": "after"},
    }
    # A rotation comes to the frontend's host, too.
    for more in ({}, rotated):
        assert renewing.renew(parameters(world, alone, **more), False, ACCOUNT) == {
            "changed": False,
            "id": alone,
            "path": str(world.layout.release(alone)),
            "current": current,
            "renewed": [],
            "renewed_from": alone,
        }


def test_what_failed_is_tried_again(world: World) -> None:
    before = deploy(world, OLD)
    wanted = parameters(world, before, backend_passwords={"RQ_REDIS_URL": "after"})
    made = renewing.renew(wanted, False, ACCOUNT)["id"]
    outcome.mark(world.layout, made, "failed", "me", "health")
    assert renewing.renew(wanted, False, ACCOUNT)["changed"]
    assert records.outcome(records.complete_releases(world.layout)[made]) == ""


def test_every_address_of_the_server_gets_the_password() -> None:
    text = environment.render({**OLD, "RATE_LIMIT_REDIS_URL": "redis://default:before@127.0.0.1:6379/1"})
    assert renewal.with_passwords(text, {"RQ_REDIS_URL": "x.Y~1"}) == {
        "RQ_REDIS_URL": "redis://default:x.Y~1@127.0.0.1:6379/0",
        "RATE_LIMIT_REDIS_URL": "redis://default:x.Y~1@127.0.0.1:6379/1",
    }
    elsewhere = environment.render({**OLD, "RATE_LIMIT_REDIS_URL": "redis://elsewhere:6379/1"})
    assert set(renewal.with_passwords(elsewhere, {"RQ_REDIS_URL": "x"})) == {"RQ_REDIS_URL"}


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", ""])
def test_an_address_without_a_password_is_told(url: str) -> None:
    with pytest.raises(DeploymentError, match="RQ_REDIS_URL of the release that serves holds no password"):
        renewal.with_passwords(environment.render({"RQ_REDIS_URL": url}), {"RQ_REDIS_URL": "x"})


def test_a_release_that_is_not_there_is_told(world: World) -> None:
    with pytest.raises(DeploymentError, match="no complete release"):
        renewing.renew(parameters(world, "0" * 12 + "-" + "0" * 8), False, ACCOUNT)


def test_a_rollback_leads_past_what_differs_by_secrets_only(world: World) -> None:
    first = deploy(world, OLD, {"backend/app/main.py": "app = 0\n"})
    second = deploy(world, OLD)
    for name in (first, second):
        outcome.mark(world.layout, name, "verified", "me", "")
    made = renewing.renew(
        parameters(world, second, backend_passwords={"DATABASE_URL": "after"}), False, ACCOUNT
    )["id"]
    links.switch(world.layout, made)
    found = records.complete_releases(world.layout)
    assert renewal.alike(world.layout, found) == {second}
    assert choice.previous_release(found, made) == second
    chosen = overview.choose({"root": str(world.layout.root), "id": "", "needed": []})
    assert (chosen["id"], chosen["outdated"]) == (first, ["DATABASE_URL"])
    assert overview.listed({"root": str(world.layout.root), "needed": []})["fallback"] == first
    named = overview.choose({"root": str(world.layout.root), "id": second, "needed": []})
    assert (named["id"], named["outdated"]) == (second, ["DATABASE_URL"])
    assert renewing.renew(parameters(world, second), False, ACCOUNT)["id"] == made
