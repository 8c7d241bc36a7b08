"""A throw-away PostgreSQL for tests, reached by its socket: its superuser without a password, others with."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


def server_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found and os.geteuid() == 0 and shutil.which("runuser") else None


@dataclass(frozen=True)
class Server:
    directory: Path
    port: int = 5432

    def run(self, *argv: str) -> str:
        done = subprocess.run(
            ["runuser", "-u", "postgres", "--", *argv],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.directory,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def sql(self, statements: str, database: str = "postgres") -> str:
        return self.run(
            "psql", "-qAth", str(self.directory), "-p", str(self.port), "-d", database, "-c", statements
        )

    def address(self, user: str, password: str) -> str:
        return f"postgresql://{user}:{password}@/mission_control?host={self.directory}"


@contextlib.contextmanager
def application_server(name: str, tables: str) -> Iterator[Server]:
    """With the application's role `mc` and its database, in which these tables are the role's."""
    with throw_away_server(name) as server:
        server.sql("CREATE ROLE mc LOGIN PASSWORD 'mc'")
        server.sql("CREATE DATABASE mission_control OWNER mc")
        server.sql("GRANT ALL ON SCHEMA public TO mc", "mission_control")
        server.sql(f"SET ROLE mc; {tables}", "mission_control")
        yield server


@contextlib.contextmanager
def throw_away_server(name: str, port: int = 0) -> Iterator[Server]:
    """With a port it listens on 127.0.0.1, too, where logins need their passwords."""
    programs = server_programs()
    if programs is None:
        pytest.skip("needs root and the server programs of PostgreSQL (apt-get install postgresql)")
    # The name of a socket is short, and the server's user has to reach it.
    server = Server(Path(tempfile.mkdtemp(prefix=f"{name}-")), port or 5432)
    shutil.chown(server.directory, "postgres")
    # The application's programs, which run as another user, have to reach it too.
    server.directory.chmod(0o755)
    data = server.directory / "data"
    server.run(
        f"{programs}/initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"
    )
    (data / "pg_hba.conf").write_text(
        "local all postgres trust\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    options = (
        f"-c listen_addresses='{'127.0.0.1' if port else ''}' -p {port or 5432} -k {server.directory} -F"
    )
    log = str(server.directory / "log")
    server.run(f"{programs}/pg_ctl", "-D", str(data), "-w", "-o", options, "-l", log, "start")
    try:
        yield server
    finally:
        server.run(f"{programs}/pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(server.directory)
