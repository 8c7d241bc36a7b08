"""The database engine, and what happens to the schema when the application starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated

from alembic import command
from alembic.config import Config
from fastapi import Depends
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.core.config import BACKEND_ROOT, settings, sqlalchemy_url
from app.db.models import Base

logger = logging.getLogger(__name__)
engine = create_async_engine(sqlalchemy_url(settings.database_url), pool_pre_ping=True)
session_maker = async_sessionmaker(engine, expire_on_commit=False)


class SchemaMissingError(RuntimeError):
    pass


def upgrade() -> None:
    config = Config(str(BACKEND_ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(BACKEND_ROOT / "migrations"))
    config.attributes["keep_logging"] = True
    command.upgrade(config, "head")


def _complete(connection: Connection) -> None:
    if not inspect(connection).has_table("alembic_version"):
        raise SchemaMissingError("The database has no schema: run 'alembic upgrade head' in backend/ first.")
    # Like the product: tables that are missing are made, columns that are missing are not.
    Base.metadata.create_all(connection)


async def init_db() -> None:
    if settings.db_auto_migrate:
        logger.info("db.migrations.running")
        await asyncio.to_thread(upgrade)
        logger.info("db.migrations.complete")
        return
    async with engine.begin() as connection:
        await connection.run_sync(_complete)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with session_maker() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
