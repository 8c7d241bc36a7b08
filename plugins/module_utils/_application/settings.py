# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the product's backend, by name: their defaults and the values they take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A setting of the product: what it is by default and which values it takes."""

    default: str
    kind: str = "text"
    allowed: tuple[str, ...] = ()


# The product ignores a misspelt key silently, so its settings are listed here (backend/app/core/config.py
# and, for the last one, services/openclaw/device_identity.py).
BACKEND_SETTINGS: dict[str, Setting] = {
    "ENVIRONMENT": Setting("dev"),
    "DATABASE_URL": Setting("", "database"),
    "AUTH_MODE": Setting("", "choice", ("local", "clerk")),
    "LOCAL_AUTH_TOKEN": Setting(""),
    "CLERK_SECRET_KEY": Setting(""),
    "CLERK_API_URL": Setting("https://api.clerk.com", "url"),
    "CLERK_VERIFY_IAT": Setting("true", "boolean"),
    "CLERK_LEEWAY": Setting("10.0", "number"),
    "CORS_ORIGINS": Setting("", "origins"),
    "BASE_URL": Setting("", "url"),
    "SECURITY_HEADER_X_CONTENT_TYPE_OPTIONS": Setting("nosniff"),
    "SECURITY_HEADER_X_FRAME_OPTIONS": Setting("DENY"),
    "SECURITY_HEADER_REFERRER_POLICY": Setting("strict-origin-when-cross-origin"),
    "SECURITY_HEADER_PERMISSIONS_POLICY": Setting(""),
    "WEBHOOK_MAX_PAYLOAD_BYTES": Setting("1048576", "integer"),
    "RATE_LIMIT_BACKEND": Setting("memory", "choice", ("memory", "redis")),
    "RATE_LIMIT_REDIS_URL": Setting("", "redis"),
    "TRUSTED_PROXIES": Setting("", "networks"),
    "DB_AUTO_MIGRATE": Setting("false", "boolean"),
    "RQ_REDIS_URL": Setting("redis://localhost:6379/0", "redis"),
    "RQ_QUEUE_NAME": Setting("default"),
    "RQ_DISPATCH_THROTTLE_SECONDS": Setting("15.0", "number"),
    "RQ_DISPATCH_MAX_RETRIES": Setting("3", "integer"),
    "RQ_DISPATCH_RETRY_BASE_SECONDS": Setting("10.0", "number"),
    "RQ_DISPATCH_RETRY_MAX_SECONDS": Setting("120.0", "number"),
    "GATEWAY_MIN_VERSION": Setting("2026.02.9", "version"),
    "LOG_LEVEL": Setting("INFO", "choice", ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    "LOG_FORMAT": Setting("text", "choice", ("text", "json")),
    "LOG_USE_UTC": Setting("false", "boolean"),
    "REQUEST_LOG_SLOW_MS": Setting("1000", "integer"),
    "REQUEST_LOG_INCLUDE_HEALTH": Setting("false", "boolean"),
    "OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH": Setting("~/.openclaw/identity/device.json"),
}
