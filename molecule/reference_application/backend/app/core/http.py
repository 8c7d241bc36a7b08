"""What every answer carries: a request id, the security headers, errors of one shape."""

from __future__ import annotations

import ipaddress
import logging
import re
from time import perf_counter
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.config import settings
from app.core.logging import TRACE, request_context

logger = logging.getLogger(__name__)
HEALTH_PATHS = frozenset({"/health", "/healthz", "/readyz"})


def _networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for entry in filter(None, (part.strip() for part in settings.trusted_proxies.split(","))):
        try:
            found.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            logger.warning("trusted_proxies.ignored_entry")
    return found


TRUSTED = _networks()
_FORWARDED_FOR = re.compile(r'for="?(\[[^\]]+\]|[^";,\s]+)', re.IGNORECASE)


def _forwarded(scope: Scope) -> str:
    """The leftmost address that a proxy names; as in the product Forwarded goes before X-Forwarded-For."""
    headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
    if found := _FORWARDED_FOR.search(headers.get(b"forwarded", "")):
        return found[1].strip("[]") if ":" not in found[1] or "[" in found[1] else found[1].split(":")[0]
    return headers.get(b"x-forwarded-for", "").split(",", 1)[0].strip()


def client_address(scope: Scope) -> str:
    """The caller's address; what a header says of it counts only when a trusted proxy sent it."""
    peer = scope.get("client")
    address = str(peer[0]) if peer else "unknown"
    try:
        trusted = any(ipaddress.ip_address(address) in network for network in TRUSTED)
    except ValueError:
        trusted = False
    return _forwarded(scope) or address if trusted else address


class SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        configured = {
            "x-content-type-options": settings.security_header_x_content_type_options,
            "x-frame-options": settings.security_header_x_frame_options,
            "referrer-policy": settings.security_header_referrer_policy,
            "permissions-policy": settings.security_header_permissions_policy,
        }
        # A blank value switches its header off.
        self.headers = {name: value.strip() for name, value in configured.items() if value.strip()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class RequestLog:
    """Outermost: gives each request its id, and writes one line about its outcome."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given.decode("latin-1").strip() or uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        method, path = scope["method"], scope["path"]
        quiet = path in HEALTH_PATHS and not settings.request_log_include_health
        token = request_context.set({"request_id": request_id, "method": method, "path": path})
        started = perf_counter()

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("x-request-id", request_id)
                if not quiet:
                    self._write(scope, message["status"], int((perf_counter() - started) * 1000))
            await send(message)

        try:
            if not quiet:
                logger.log(TRACE, "http.request.start", extra={"client_ip": client_address(scope)})
            await self.app(scope, receive, with_id)
        finally:
            request_context.reset(token)

    @staticmethod
    def _write(scope: Scope, status: int, duration: int) -> None:
        extra: dict[str, Any] = {
            "status_code": status,
            "duration_ms": duration,
            "client_ip": client_address(scope),
        }
        level = logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.DEBUG
        logger.log(level, "http.request.complete", extra=extra)
        slow = settings.request_log_slow_ms
        if slow and duration >= slow:
            logger.warning("http.request.slow", extra={**extra, "slow_threshold_ms": slow})


def _answer(request: Request, status: int, detail: object, headers: Any = None) -> JSONResponse:
    request_id = getattr(request.state, "request_id", None)
    body = {"detail": detail, **({"request_id": request_id} if request_id else {})}
    return JSONResponse(jsonable_encoder(body), status_code=status, headers=headers)


def install(app: FastAPI) -> None:
    """Add the middleware (the last one added is the outermost) and the error handlers."""
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        return _answer(request, error.status_code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # A context may hold an exception object, which JSON cannot carry.
        details = [
            {**item, "ctx": {key: str(value) for key, value in item["ctx"].items()}}
            if "ctx" in item
            else item
            for item in error.errors()
        ]
        return _answer(request, 422, details)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("unhandled_exception", exc_info=error)
        request_id = getattr(request.state, "request_id", "")
        return _answer(request, 500, "Internal Server Error", {"x-request-id": request_id})
