from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from simulated_gateway import SimulatedGateway
from support import Application, Backend, NotInstalledError, Redis, postgresql

NewApplication = Callable[..., Application]


@pytest.fixture(scope="session")
def directory() -> Iterator[Path]:
    # Not pytest's own directory: the unprivileged user has to get through.
    with tempfile.TemporaryDirectory(prefix="reference-application-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def database_server(directory: Path) -> Iterator[str]:
    try:
        with postgresql(directory / "postgresql") as address:
            yield address
    except NotInstalledError as error:
        pytest.exit(str(error), returncode=2)


@pytest.fixture(scope="session")
def redis_server(directory: Path) -> Iterator[Redis]:
    try:
        server = Redis(directory / "redis")
    except NotInstalledError as error:
        pytest.exit(str(error), returncode=2)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def new_application(directory: Path, database_server: str, redis_server: Redis) -> NewApplication:
    """Makes an application with a database and a queue of its own: empty, migrated, or seeded as well.

    Databases of the last two kinds are copies of one that was made by alembic and by the seeding program.
    """
    numbers = count(1)
    templates: dict[str, str] = {}

    def make(state: str = "migrated", **settings: str) -> Application:
        if state != "empty" and state not in templates:
            templates[state] = f"template_{state}"
            first = database(templates[state], templates.get("migrated") if state == "seeded" else None)
            first.migrate()
            if state == "seeded":
                first.seed()
        return database(f"application_{next(numbers)}", templates.get(state), **settings)

    def database(name: str, template: str | None, **settings: str) -> Application:
        with psycopg.connect(f"{database_server}postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
        settings.setdefault("RQ_QUEUE_NAME", name)
        return Application(directory / name, database_server + name, redis_server.url, **settings)

    return make


@pytest.fixture(scope="session")
def simulated_gateway() -> Iterator[SimulatedGateway]:
    with SimulatedGateway().serving() as gateway:
        yield gateway


@pytest.fixture(scope="session")
def application(new_application: NewApplication) -> Application:
    """Migrated and seeded, with no gateway registered by hand."""
    return new_application("seeded")


@pytest.fixture(scope="session")
def backend(application: Application) -> Iterator[Backend]:
    with application.backend() as running:
        yield running
