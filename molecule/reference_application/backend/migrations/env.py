"""Alembic's entry: the address and the tables come from the application."""

from __future__ import annotations

import sys
from logging.config import fileConfig
from pathlib import Path

from alembic import context
from sqlalchemy import create_engine, pool

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.core.config import settings, sqlalchemy_url
from app.db.models import Base

config = context.config
if config.config_file_name and not config.attributes.get("keep_logging"):
    fileConfig(config.config_file_name)

# Through the configuration parser on purpose, as in the product: a "%" in the address is an error here.
config.set_main_option("sqlalchemy.url", sqlalchemy_url(settings.database_url))
url = config.get_main_option("sqlalchemy.url") or ""

if context.is_offline_mode():
    context.configure(url=url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
