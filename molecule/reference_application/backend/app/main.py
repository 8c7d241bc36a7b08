"""The application: `uvicorn app.main:app` in backend/."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from redis.asyncio import Redis
from starlette.middleware.cors import CORSMiddleware

from app.api import boards, gateway_sessions, metrics, organization, outside
from app.core import http
from app.core.config import RateLimitBackend, settings
from app.core.logging import configure_logging
from app.core.version import APP_VERSION, STAND_IN
from app.db.session import engine, init_db
from app.schemas import Ok

configure_logging()
logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    logger.info("app.reference %s", STAND_IN)
    logger.info(
        "app.lifecycle.starting environment=%s db_auto_migrate=%s",
        settings.environment,
        settings.db_auto_migrate,
    )
    await init_db()
    if settings.rate_limit_backend is RateLimitBackend.REDIS:
        # The product refuses to start without its rate limiter's Redis; so does this.
        redis = Redis.from_url(settings.rate_limit_redis_url)
        try:
            await redis.ping()
        finally:
            await redis.aclose()
    logger.info("app.lifecycle.rate_limit backend=%s", settings.rate_limit_backend)
    logger.info("app.lifecycle.started")
    try:
        yield
    finally:
        await engine.dispose()
        logger.info("app.lifecycle.stopped")


app = FastAPI(
    title="Mission Control API (reference application, a stand-in)",
    description=f"{STAND_IN}. Its answers have the product's shapes; its data is made up.",
    version=APP_VERSION,
    lifespan=lifespan,
)
if settings.origins:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["X-Total-Count", "X-Limit", "X-Offset"],
    )
http.install(app)
logger.info(
    "app.cors.%s origins_count=%s", "enabled" if settings.origins else "disabled", len(settings.origins)
)


@app.get("/health", tags=["health"])
@app.get("/healthz", tags=["health"])
@app.get("/readyz", tags=["health"])
def health() -> Ok:
    """Always green, the readiness path too: the product's three paths look at nothing."""
    return Ok()


for router in (
    organization.router,
    outside.router,
    boards.boards,
    # Before the gateways, whose /{gateway_id} would take "status" for an id.
    gateway_sessions.router,
    boards.gateways,
    metrics.router,
):
    app.include_router(router)
