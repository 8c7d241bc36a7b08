"""Logs to stdout, as text or as one JSON object a line, in the product's two formats."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from app.core.config import settings
from app.core.version import APP_NAME, APP_VERSION

TRACE = 5
logging.addLevelName(TRACE, "TRACE")

# What a request adds to every line written while it is being answered.
request_context: ContextVar[dict[str, str] | None] = ContextVar("request_context", default=None)

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    extras = dict(request_context.get() or {})
    extras.update({key: value for key, value in record.__dict__.items() if key not in _PLAIN})
    return extras


class TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__(
            f"%(asctime)s %(levelname)s %(name)s %(message)s app={APP_NAME} version={APP_VERSION}"
        )
        if settings.log_use_utc:
            self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        pairs = "".join(f" {key}={value}" for key, value in _extras(record).items())
        return super().formatMessage(record) + pairs


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "app": APP_NAME,
            "version": APP_VERSION,
            "module": record.module,
            "function": record.funcName,
            "line": record.lineno,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        for key, value in _extras(record).items():
            line.setdefault(key, value)
        return json.dumps(line, separators=(",", ":"), default=str)


def _level(name: str) -> int:
    if name.isdigit():
        return int(name)
    return logging.getLevelNamesMapping().get(name, logging.INFO)


def configure_logging() -> None:
    """Put our handler on the root logger; uvicorn's own loggers keep theirs and get the level."""
    name = settings.log_level.upper() or "INFO"
    style = settings.log_format.lower()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_level(name))
    for logger in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(logger).setLevel(_level(name))
    logging.getLogger("sqlalchemy").setLevel(logging.INFO if name == "TRACE" else logging.WARNING)
    logging.getLogger("websockets").setLevel(logging.WARNING)
    logging.getLogger("app.core.logging").info(
        "logging.configured level=%s format=%s use_utc=%s", name, style, settings.log_use_utc
    )
