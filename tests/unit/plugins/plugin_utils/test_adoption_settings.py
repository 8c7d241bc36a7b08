# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of the settings of an installation that is taken over."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _adoption_settings
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._adoption_settings import (
    CARRIED,
    INVENTORY,
)
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight.database import (
    database,
    queue,
)
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight.model import Context

TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
PUBLIC = {"mission_control_public_url": "http://mc.example.com:3000"}
LOCAL = "postgresql+psycopg://postgres:postgres@localhost:5432/mission_control"


def resolve(
    backend: dict[str, str] | None = None, named: dict[str, Any] | None = None, **changes: Any
) -> _adoption_settings.Resolved:
    found = {
        "backend": backend or {},
        "frontend": {},
        "listens": {},
        "local_database": True,
        "local_redis": True,
        **changes,
    }
    return _adoption_settings.resolve(
        found, PUBLIC | {f"mission_control_{k}": v for k, v in (named or {}).items()}
    )


# Found, named by the inventory, variables that carry it over, and why.
CASES: list[tuple[dict[str, str], dict[str, Any], dict[str, Any], str]] = [
    ({"LOCAL_AUTH_TOKEN": TOKEN}, {}, {"token": TOKEN}, CARRIED),
    ({"LOCAL_AUTH_TOKEN": TOKEN}, {"token": TOKEN[::-1]}, {}, INVENTORY),
    ({"LOCAL_AUTH_TOKEN": TOKEN}, {"token": ""}, {"token": TOKEN}, CARRIED),
    ({"LOCAL_AUTH_TOKEN": "change-me"}, {}, {}, "it is a placeholder: set mission_control_token"),
    ({"AUTH_MODE": "local"}, {}, {"auth_mode": "local"}, CARRIED),
    ({"LOG_LEVEL": "DEBUG"}, {}, {"backend_environment": {"LOG_LEVEL": "DEBUG"}}, CARRIED),
    ({"LOG_LEVEL": "DEBUG"}, {"backend_environment": {"LOG_LEVEL": "INFO"}}, {}, INVENTORY),
    ({"LOG_USE_UTC": "true"}, {"backend_environment": {"LOG_USE_UTC": True}}, {}, CARRIED),
    ({"LOG_LEVEL": "LOUD"}, {}, {}, "it has to be one of TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ({"ENVIRONMENT": "dev"}, {}, {}, "with dev the product migrates whenever it starts"),
    ({"ENVIRONMENT": "staging"}, {}, {"backend_environment": {"ENVIRONMENT": "staging"}}, CARRIED),
    ({"DB_AUTO_MIGRATE": "true"}, {}, {}, "the deployment migrates, once and after a backup"),
    (
        {"SECURITY_HEADER_X_FRAME_OPTIONS": ""},
        {},
        {},
        "blank turns the header off, as the example file does",
    ),
    (
        {"SITE": "Ward 7"},
        {},
        {"additional_environment": {"SITE": "Ward 7"}},
        "no setting of the product; the services keep it",
    ),
    ({"LOG_LEVLE": "DEBUG"}, {}, {}, "no setting of the product, which ignored it; LOG_LEVEL was meant?"),
    ({"PAD": "a\\b"}, {}, {}, "Backend setting PAD holds a line break or a backslash"),
    (
        {"CORS_ORIGINS": "http://mc.example.com:3000,http://b"},
        {},
        {"cors_origins": ["http://mc.example.com:3000", "http://b"]},
        CARRIED,
    ),
    (
        {"CORS_ORIGINS": "http://b"},
        {},
        {"cors_origins": ["http://b", "http://mc.example.com:3000"]},
        "carried over, and mission_control_public_url is added",
    ),
    (
        {"CORS_ORIGINS": "http://b/,http://c"},
        {},
        {"cors_origins": ["http://c", "http://mc.example.com:3000"]},
        "http://b/ can be no origin of a browser",
    ),
    ({"CORS_ORIGINS": "http://b"}, {"cors_origins": ["http://c"]}, {}, INVENTORY),
    (
        {"DATABASE_URL": LOCAL},
        {},
        {"database_name": "mission_control"},
        "the same database, entered by mission_control, a role of least privilege",
    ),
    (
        {"DATABASE_URL": LOCAL},
        {"database_name": "other"},
        {},
        "the inventory names another database; what is in mission_control stays there",
    ),
    (
        {"DATABASE_URL": LOCAL.replace("localhost", "db.example.com")},
        {},
        {"database_url": LOCAL.replace("localhost", "db.example.com")},
        CARRIED,
    ),
    ({"RQ_REDIS_URL": "rediss://:pw@q:1/2"}, {}, {"redis_url": "rediss://:pw@q:1/2"}, CARRIED),
    ({"RQ_REDIS_URL": "redis://localhost:6379/0"}, {}, {}, CARRIED),
]


@pytest.mark.parametrize(("found", "named", "facts", "why"), CASES)
def test_setting(found: dict[str, str], named: dict[str, Any], facts: dict[str, Any], why: str) -> None:
    resolved = resolve(found, named)
    assert resolved.facts == {f"mission_control_{name}": value for name, value in facts.items()}
    (row,) = resolved.rows
    assert row.why.startswith(why)


def test_the_database_is_handed_over_only_while_the_take_over_goes_on() -> None:
    found = {"DATABASE_URL": LOCAL}
    assert resolve(found, adopting=True).facts["postgresql_adopted_url"] == LOCAL
    assert "postgresql_adopted_url" not in resolve(found, adopting=False).facts
    assert "postgresql_adopted_url" not in resolve(found, {"database_name": "other"}, adopting=True).facts


@pytest.mark.parametrize(
    ("setting", "url", "said"),
    [
        ("RQ_REDIS_URL", "redis://127.0.0.1:6379/abc", "it names database abc"),
        ("RQ_REDIS_URL", "redis://127.0.0.1:99999/0", "it is not a valid address"),
        ("RQ_REDIS_URL", "redis://127.0.0.1:6379/\u0662", "it names database"),
        ("RQ_REDIS_URL", "redis://[::1/0", "it is not a valid address"),
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1:x/mc", "it is not a valid address"),
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1:99999/mc", "it is not a valid address"),
        ("DATABASE_URL", "postgresql://u:p@[::1/mc", "it is not a valid address"),
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1", "it names no database"),
    ],
)
def test_an_address_that_is_none_is_refused_by_the_preflight(setting: str, url: str, said: str) -> None:
    resolved = resolve({setting: url}, adopting=True)
    variable = "mission_control_" + ("redis_url" if "REDIS" in setting else "database_url")
    assert resolved.facts == {variable: url}
    assert resolved.rows[0].why.startswith(said) and variable in resolved.rows[0].why
    assert resolved.table
    rule = queue if "REDIS" in setting else database
    context = Context(variables={"mission_control_database_name": "mission_control", **resolved.facts})
    assert any(problem.variable == variable for problem in rule(context))


def test_redis_of_the_distribution_with_a_password_stays_its_own() -> None:
    resolved = resolve({"RQ_REDIS_URL": "redis://:pw-of-the-queue@127.0.0.1:6380/3"})
    assert resolved.facts == {"redis_password": "pw-of-the-queue", "redis_port": 6380, "redis_database": 3}


def test_servers_in_containers_are_used_as_they_are() -> None:
    redis = "redis://localhost:6379/0"
    resolved = resolve(
        {"DATABASE_URL": LOCAL, "RQ_REDIS_URL": redis}, local_database=False, local_redis=False
    )
    assert resolved.facts == {"mission_control_database_url": LOCAL, "mission_control_redis_url": redis}


def test_the_frontends_settings() -> None:
    resolved = resolve(
        frontend={
            "NEXT_PUBLIC_API_URL": "auto",
            "NEXT_PUBLIC_AUTH_MODE": "local",
            "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": "pk_live",
            "NEXT_PUBLIC_CLERK_AFTER_SIGN_OUT_URL": "/bye",
            "ANALYTICS": "1",
        }
    )
    assert resolved.facts == {
        "mission_control_clerk_publishable_key": "pk_live",
        "mission_control_frontend_environment": {"NEXT_PUBLIC_CLERK_AFTER_SIGN_OUT_URL": "/bye"},
    }
    assert {row.name: row.becomes for row in resolved.rows}["ANALYTICS"] == "left out"


def test_what_only_the_host_reached_is_not_opened() -> None:
    listens = {
        "backend": {"host": "localhost", "port": "8000"},
        "frontend": {"host": "0.0.0.0", "port": "3000"},
    }
    assert resolve(listens=listens).facts == {"mission_control_backend_bind": "127.0.0.1"}


def test_the_inventorys_own_values_stay_beside_those_carried_over() -> None:
    resolved = resolve({"LOG_LEVEL": "DEBUG"}, {"backend_environment": {"LOG_FORMAT": "json"}})
    assert resolved.facts["mission_control_backend_environment"] == {
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
    }


def test_no_secret_is_shown() -> None:
    found = {
        "LOCAL_AUTH_TOKEN": TOKEN,
        "DATABASE_URL": "postgresql://app:secret-pw@localhost/x",
        "RQ_REDIS_URL": "redis://:secret-pw@localhost:6379/0",
        "CLERK_SECRET_KEY": "sk_secret-pw",
        "SENTRY_DSN": "https://secret-pw@sentry",
        "TENANT_PIN": "secret-pw",
    }
    for named in ({}, {"token": TOKEN[::-1]}):
        named["secret_settings"] = ["TENANT_PIN"]
        text = resolve(dict(found), named).table
        assert "secret-pw" not in text and TOKEN not in text and TOKEN[::-1] not in text
        assert "DATABASE_URL" in text and "LOCAL_AUTH_TOKEN" in text
