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
    """Makes an application with a database and a queue of its own."""
    numbers = count(1)

    def make(**settings: str) -> Application:
        name = f"application_{next(numbers)}"
        with psycopg.connect(f"{database_server}postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
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
    made = new_application()
    made.migrate()
    made.seed()
    return made


@pytest.fixture(scope="session")
def backend(application: Application) -> Iterator[Backend]:
    with application.backend() as running:
        yield running
