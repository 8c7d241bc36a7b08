"""Settings are refused and accepted as the product refuses and accepts them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import ORIGIN, TOKEN, Application, free_port

BASE = {"AUTH_MODE": "local", "LOCAL_AUTH_TOKEN": TOKEN, "BASE_URL": "http://127.0.0.1:8000"}
Load = Callable[..., Any]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Reads the settings from an environment that has nothing else in it."""

    def read(**changes: str | None) -> Any:
        for name, value in {**BASE, **changes}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        from app.core.config import Settings

        return Settings()  # type: ignore[call-arg]

    # Importing the module reads the settings once.
    read()
    return read


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AUTH_MODE": None}, "auth_mode"),
        ({"AUTH_MODE": "ldap"}, "auth_mode"),
        ({"AUTH_MODE": "clerk"}, "CLERK_SECRET_KEY must be set"),
        ({"LOCAL_AUTH_TOKEN": None}, "LOCAL_AUTH_TOKEN must be at least 50 characters"),
        ({"LOCAL_AUTH_TOKEN": "x" * 49}, "LOCAL_AUTH_TOKEN must be at least 50 characters"),
        ({"LOCAL_AUTH_TOKEN": " " * 60}, "LOCAL_AUTH_TOKEN must be at least 50 characters"),
        ({"LOCAL_AUTH_TOKEN": "Change-Me"}, "LOCAL_AUTH_TOKEN must be at least 50 characters"),
        ({"BASE_URL": None}, "BASE_URL must be set"),
        ({"BASE_URL": "/api"}, "BASE_URL must be an absolute http"),
        ({"BASE_URL": "ftp://host"}, "BASE_URL must be an absolute http"),
        ({"BASE_URL": "console.example:8000"}, "BASE_URL must be an absolute http"),
        ({"RATE_LIMIT_BACKEND": "redis", "RQ_REDIS_URL": " "}, "RATE_LIMIT_REDIS_URL or RQ_REDIS_URL"),
        ({"RATE_LIMIT_BACKEND": "disk"}, "rate_limit_backend"),
        ({"REQUEST_LOG_SLOW_MS": "-1"}, "request_log_slow_ms"),
        ({"RQ_DISPATCH_MAX_RETRIES": "often"}, "rq_dispatch_max_retries"),
        ({"DB_AUTO_MIGRATE": "perhaps"}, "db_auto_migrate"),
        ({"REFERENCE_GATEWAY_DIALECT": "both"}, "reference_gateway_dialect"),
        ({"REFERENCE_METRICS_RANGE_PARAMETER": "span"}, "reference_metrics_range_parameter"),
    ],
)
def test_refused(load: Load, changes: dict[str, str | None], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load(**changes)


def test_accepted_as_given(load: Load) -> None:
    settings = load(
        BASE_URL="https://console.example:8443/",
        LOCAL_AUTH_TOKEN="y" * 50,
        CORS_ORIGINS=f" {ORIGIN} ,, https://b.example",
        RATE_LIMIT_BACKEND="redis",
        RQ_REDIS_URL="redis://queue:6379/2",
        A_MISSPELT_NAME="ignored",
    )
    assert settings.base_url == "https://console.example:8443"
    assert settings.origins == [ORIGIN, "https://b.example"]
    assert settings.rate_limit_redis_url == "redis://queue:6379/2"
    assert not hasattr(settings, "a_misspelt_name")


@pytest.mark.parametrize(
    ("environment", "given", "result"),
    [
        (None, None, True),
        ("dev", None, True),
        ("dev", "false", False),
        ("prod", None, False),
        ("prod", "true", True),
    ],
)
def test_only_dev_migrates_by_itself(
    load: Load, environment: str | None, given: str | None, result: bool
) -> None:
    assert load(ENVIRONMENT=environment, DB_AUTO_MIGRATE=given).db_auto_migrate is result


def test_the_environment_beats_the_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('LOG_LEVEL=DEBUG\nLOG_FORMAT="json"\nUNKNOWN=1\n')
    settings = load(LOG_LEVEL="WARNING")
    assert (settings.log_level, settings.log_format) == ("WARNING", "json")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_the_database_works(application: Application, scheme: str) -> None:
    url = application.database.replace("postgresql", scheme, 1)
    done = application.run("-m", "alembic", "current", DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert "(head)" in done.stdout
    with application.backend(DATABASE_URL=url) as backend:
        assert backend.read("/api/v1/organizations/me/member")["role"] == "owner"


@pytest.mark.parametrize(
    "program", [["-m", "uvicorn", "app.main:app", "--port"], ["../scripts/rq", "worker"]]
)
def test_a_bad_token_ends_the_process_at_once(application: Application, program: list[str]) -> None:
    port = [str(free_port())] if "uvicorn" in program else []
    done = application.run(*program, *port, LOCAL_AUTH_TOKEN="short")
    assert done.returncode == 1
    assert "LOCAL_AUTH_TOKEN must be at least 50 characters" in done.stderr


def test_the_rate_limiters_redis_must_be_there_at_the_start(application: Application) -> None:
    gone = f"redis://127.0.0.1:{free_port()}/0"
    command = ("-m", "uvicorn", "app.main:app", "--port", str(free_port()))
    done = application.run(*command, RATE_LIMIT_BACKEND="redis", RATE_LIMIT_REDIS_URL=gone)
    assert done.returncode == 3
    assert "Connection refused" in done.stderr or "connecting to" in done.stderr
    with application.backend(RATE_LIMIT_BACKEND="redis") as backend:
        assert "app.lifecycle.rate_limit backend=redis" in backend.log()
