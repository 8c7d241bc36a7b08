"""Settings from the environment, then `.env`; names and rules are the product's.

Unknown names are ignored, as the product ignores them: a misspelt one has no effect.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# resolve(): with a release behind a `current` symlink, each release reads its own file.
BACKEND_ROOT = Path(__file__).resolve().parents[2]
TOKEN_MIN_LENGTH = 50
TOKEN_PLACEHOLDERS = {"change-me", "changeme", "replace-me", "replace-with-strong-random-token"}


class AuthMode(StrEnum):
    LOCAL = "local"
    CLERK = "clerk"


class RateLimitBackend(StrEnum):
    MEMORY = "memory"
    REDIS = "redis"


def sqlalchemy_url(url: str) -> str:
    """Both the libpq spelling and SQLAlchemy's are accepted; psycopg 3 is always meant."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    return url


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=(BACKEND_ROOT / ".env", ".env"), env_file_encoding="utf-8", extra="ignore"
    )

    environment: str = "dev"
    database_url: str = "postgresql+psycopg://postgres:postgres@localhost:5432/mission_control"
    db_auto_migrate: bool = False
    base_url: str = ""
    cors_origins: str = ""

    auth_mode: AuthMode
    local_auth_token: str = ""
    clerk_secret_key: str = ""
    clerk_api_url: str = "https://api.clerk.com"
    clerk_verify_iat: bool = True
    clerk_leeway: float = 10.0

    security_header_x_content_type_options: str = "nosniff"
    security_header_x_frame_options: str = "DENY"
    security_header_referrer_policy: str = "strict-origin-when-cross-origin"
    security_header_permissions_policy: str = ""

    webhook_max_payload_bytes: int = 1_048_576
    rate_limit_backend: RateLimitBackend = RateLimitBackend.MEMORY
    rate_limit_redis_url: str = ""
    trusted_proxies: str = ""

    rq_redis_url: str = "redis://localhost:6379/0"
    rq_queue_name: str = "default"
    rq_dispatch_throttle_seconds: float = 15.0
    rq_dispatch_max_retries: int = 3
    rq_dispatch_retry_base_seconds: float = 10.0
    rq_dispatch_retry_max_seconds: float = 120.0

    gateway_min_version: str = "2026.02.9"

    log_level: str = "INFO"
    log_format: str = "text"
    log_use_utc: bool = False
    request_log_slow_ms: int = Field(default=1000, ge=0)
    request_log_include_health: bool = False

    # Ours: the product's guide and its running system differ in two places; this chooses one.
    reference_gateway_dialect: Literal["plural", "singular"] = "plural"
    reference_metrics_range_parameter: Literal["range_key", "range"] = "range_key"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.auth_mode is AuthMode.CLERK and not self.clerk_secret_key.strip():
            raise ValueError("CLERK_SECRET_KEY must be set and non-empty when AUTH_MODE=clerk.")
        if self.auth_mode is AuthMode.LOCAL:
            token = self.local_auth_token.strip()
            if len(token) < TOKEN_MIN_LENGTH or token.lower() in TOKEN_PLACEHOLDERS:
                raise ValueError(
                    f"LOCAL_AUTH_TOKEN must be at least {TOKEN_MIN_LENGTH} characters "
                    "and non-placeholder when AUTH_MODE=local."
                )

        url = self.base_url.strip()
        if not url:
            raise ValueError("BASE_URL must be set and non-empty.")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("BASE_URL must be an absolute http(s) URL (e.g. http://localhost:8000).")
        self.base_url = url.rstrip("/")

        if self.rate_limit_backend is RateLimitBackend.REDIS and not self.rate_limit_redis_url.strip():
            if not self.rq_redis_url.strip():
                raise ValueError(
                    "RATE_LIMIT_REDIS_URL or RQ_REDIS_URL must be set when RATE_LIMIT_BACKEND=redis."
                )
            self.rate_limit_redis_url = self.rq_redis_url.strip()

        if self.environment == "dev" and "db_auto_migrate" not in self.model_fields_set:
            self.db_auto_migrate = True
        return self

    @property
    def origins(self) -> list[str]:
        return [part.strip() for part in self.cors_origins.split(",") if part.strip()]


# Required values come from the environment, which mypy cannot know.
settings = Settings()  # type: ignore[call-arg]
