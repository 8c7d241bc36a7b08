"""The backend's settings: every one of the product's is in the mapping, and no misspelt one gets through."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.backend_environment import (
    FilterModule,
    backend_environment,
)

DEFAULTS = Path(__file__).resolve().parents[4] / "roles" / "backend" / "defaults" / "main.yml"

# The fields of the product's Settings class, and what its device identity reads.
PRODUCT = """
environment database_url auth_mode local_auth_token clerk_secret_key clerk_api_url clerk_verify_iat
clerk_leeway cors_origins base_url security_header_x_content_type_options
security_header_x_frame_options security_header_referrer_policy security_header_permissions_policy
webhook_max_payload_bytes rate_limit_backend rate_limit_redis_url trusted_proxies db_auto_migrate
rq_redis_url rq_queue_name rq_dispatch_throttle_seconds rq_dispatch_max_retries
rq_dispatch_retry_base_seconds rq_dispatch_retry_max_seconds gateway_min_version log_level
log_format log_use_utc request_log_slow_ms request_log_include_health
openclaw_gateway_device_identity_path
"""


def settings() -> dict[str, Any]:
    mapping: dict[str, Any] = yaml.safe_load(DEFAULTS.read_text())["backend_settings"]
    return mapping


def test_the_mapping_is_complete() -> None:
    assert set(settings()) == {name.upper() for name in PRODUCT.split()}


def test_security_headers_stay_on_and_nothing_migrates_by_itself() -> None:
    mapping = settings()
    assert mapping["SECURITY_HEADER_X_CONTENT_TYPE_OPTIONS"] == "nosniff"
    assert mapping["SECURITY_HEADER_X_FRAME_OPTIONS"] == "DENY"
    assert mapping["SECURITY_HEADER_REFERRER_POLICY"] == "strict-origin-when-cross-origin"
    assert mapping["ENVIRONMENT"] == "prod"
    assert mapping["DB_AUTO_MIGRATE"] is False


def test_overrides_and_additions_are_laid_over() -> None:
    settled = backend_environment(settings(), {"LOG_LEVEL": "DEBUG"}, {"TZ": "UTC"})
    assert settled["public"]["LOG_LEVEL"] == "DEBUG"
    assert settled["public"]["TZ"] == "UTC"
    assert settled["public"]["WEBHOOK_MAX_PAYLOAD_BYTES"] == "1048576"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("LOG_LEVL", "LOG_LEVEL"),
        ("log_level", "LOG_LEVEL"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("REDIS_URL", "RQ_REDIS_URL"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_likely_one(wrong: str, right: str) -> None:
    with pytest.raises(AnsibleFilterError, match=rf"{wrong} is not a setting.*did you mean {right}\?"):
        backend_environment(settings(), {wrong: "x"})


def test_a_strange_setting_is_sent_to_the_additions() -> None:
    with pytest.raises(AnsibleFilterError, match="backend_additional_environment"):
        backend_environment(settings(), {"ZZZ": "x"})


def test_an_addition_must_not_be_a_setting() -> None:
    with pytest.raises(AnsibleFilterError, match="LOG_LEVEL is the product's"):
        backend_environment(settings(), {}, {"LOG_LEVEL": "x"})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(AnsibleFilterError) as error:
        backend_environment(settings(), {"LOG_LEVL": 1, "LOG_FORMATT": 2})
    assert len(re.findall("did you mean", str(error.value))) == 2


def test_secrets_are_parted_from_what_may_be_shown() -> None:
    values = {
        "LOCAL_AUTH_TOKEN": "t" * 64,
        "CLERK_SECRET_KEY": "",
        "DATABASE_URL": "postgresql+psycopg://u:secretsecret@h/d",
        "RQ_REDIS_URL": "redis://h:6379/0",
    }
    settled = backend_environment(settings(), values, {"SENTRY_DSN": "https://key@host/1"})
    assert set(settled["secret"]) == {"LOCAL_AUTH_TOKEN", "DATABASE_URL", "SENTRY_DSN"}
    assert settled["public"]["CLERK_SECRET_KEY"] == ""
    assert "secretsecret" not in str(settled["public"])


def test_secrets_are_recognized_by_name_by_value_and_because_the_operator_says_so() -> None:
    values = {
        **dict.fromkeys(
            ("ENCRYPTION_KEY", "KEY_PASSPHRASE", "AUTH_COOKIE", "GITHUBTOKEN", "DBPASSWORD"), "some words"
        ),
        "GREETING": "ghp_abcdefghijklmnopqrstuv",
        "TENANT_PIN": "4711",
    }
    harmless = {"KEYBOARD": "de", "TOKENIZER": "cl100k", "PUBLIC_KEY": "ssh-ed25519 AAAA"}
    settled = backend_environment({}, {}, {**values, **harmless}, ["TENANT_PIN"])
    assert settled == {"public": harmless, "secret": values}


def test_it_is_offered_as_a_filter() -> None:
    assert FilterModule().filters() == {"backend_environment": backend_environment}
