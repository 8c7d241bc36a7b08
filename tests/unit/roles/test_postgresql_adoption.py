"""Whose database the role postgresql takes over, and what the superuser runs in it: on a real server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight.database import RESERVED

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/unit/support"))
from postgresql_server import Server, throw_away_server  # noqa: E402

ROLE = ROOT / "roles/postgresql"
# What the owner of a database can lay out for a superuser who comes by.
TROJAN = """
CREATE TABLE public.prey (note text);
CREATE FUNCTION public.pg_get_userbyid(oid) RETURNS name LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.prey VALUES (current_user || ' ran the trojan');
  RETURN pg_catalog.pg_get_userbyid($1);
END $$;
CREATE FUNCTION public.format(text, VARIADIC anyarray) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.prey VALUES (current_user || ' ran the trojan');
  RETURN pg_catalog.format($1, VARIADIC $2);
END $$;
CREATE SEQUENCE numbers;
CREATE VIEW seen AS SELECT 1 AS one;
CREATE TYPE mood AS ENUM ('good');
CREATE SCHEMA more;
CREATE TABLE more.things (id int);
CREATE TABLE "Odd name; --" (id serial);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with throw_away_server("adoption", port) as server:
        server.sql(
            "CREATE ROLE mission_control LOGIN; CREATE ROLE maker LOGIN PASSWORD 'made-by-hand';"
            "CREATE ROLE other LOGIN PASSWORD 'of-another-application'; CREATE ROLE reader LOGIN"
        )
        yield server


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    name = "db_" + str(abs(hash(request.node.name)))
    server.sql(f"CREATE DATABASE {name} OWNER maker TEMPLATE template0")
    server.sql(f"SET ROLE maker; {TROJAN} GRANT SELECT ON more.things TO reader", name)
    server.sql(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
    yield name
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def owners(server: Server, database: str) -> set[str]:
    """Of the database, and of all that is in it."""
    return set(
        server.sql(
            "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database() "
            "UNION SELECT pg_catalog.pg_get_userbyid(relowner) FROM pg_class "
            "WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)' "
            "UNION SELECT pg_catalog.pg_get_userbyid(proowner) FROM pg_proc "
            "WHERE pronamespace = 'public'::regnamespace UNION "
            "SELECT pg_catalog.pg_get_userbyid(typowner) FROM pg_type WHERE typname = 'mood'",
            database,
        ).splitlines()
    )


def play(server: Server, database: str, tmp_path: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    """The role's own tasks, by Ansible; the server's superuser is reached as on a host, by its socket."""
    plays = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {
                    "ansible.builtin.include_role": {
                        "name": "openclaw.mission_control.postgresql",
                        "tasks_from": "database",
                    }
                }
            ],
        }
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(plays))
    given = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_remote_tmp": "/tmp",
        # The server trusts its socket. The superuser could not read this checkout's Python.
        "ansible_become": False,
        "postgresql_port": server.port,
        "postgresql_socket_directory": str(server.directory),
        "postgresql_database": database,
        "postgresql_clients": [],
        "__postgresql_password": "of-the-application",
        **variables,
    }
    return subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml"), "-e", json.dumps(given)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
    )


def url(server: Server, login: str, password: str, database: str) -> str:
    return f"postgresql+psycopg://{login}:{password}@127.0.0.1:{server.port}/{database}"


@pytest.fixture
def watched(server: Server, database: str) -> str:
    """The database, which notes who changes something in it, where nothing is handed over."""
    server.sql(
        """
        CREATE TABLE information_schema.changes (who text, tag text);
        CREATE FUNCTION information_schema.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
          $$ BEGIN INSERT INTO information_schema.changes VALUES (session_user, tg_tag); END $$;
        CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION information_schema.note();
        """,
        database,
    )
    return database


REFUSED = [
    ("", "no installation that is taken over in this run used it"),
    ("maker:wrong", "cannot log in to it as maker"),
    ("maker:", "cannot log in to it as maker"),
    ("other:of-another-application", "logs in as other, which does not own it"),
]


@pytest.mark.parametrize(("login", "why"), REFUSED)
def test_a_database_of_somebody_elses_is_refused(
    server: Server, database: str, tmp_path: Path, login: str, why: str
) -> None:
    address = url(server, *login.split(":"), database) if login else ""
    done = play(server, database, tmp_path, postgresql_adopted_url=address)
    text = " ".join(done.stdout.split())
    assert done.returncode != 0 and f"The database {database} on localhost belongs to maker" in text, text
    assert why in text and "postgresql_adopt: true" in text
    assert "of-another-application" not in done.stdout
    assert owners(server, database) == {"maker"}


@pytest.mark.parametrize("how", ["the login that was found owns it", "the operator says so"])
def test_what_is_taken_over_is_handed_over_and_nothing_in_it_is_run(
    server: Server, watched: str, tmp_path: Path, how: str
) -> None:
    database = watched
    variables: dict[str, Any] = {"postgresql_adopt": True}
    if how == "the login that was found owns it":
        variables = {"postgresql_adopted_url": url(server, "maker", "made-by-hand", database)}
    done = play(server, database, tmp_path, **variables)
    assert done.returncode == 0, done.stdout
    assert owners(server, database) == {"mission_control"}
    assert server.sql("SELECT note FROM public.prey", database) == ""
    changed = "SELECT DISTINCT who FROM information_schema.changes WHERE tag ~ '^ALTER'"
    assert server.sql(changed, database) == ("maker" if "postgresql_adopted_url" in variables else "postgres")
    # Who owned it goes on working, who may read may connect, and nobody else.
    may = "SELECT pg_catalog.has_database_privilege('{}', pg_catalog.current_database(), 'CONNECT')"
    told = {role: server.sql(may.format(role), database) for role in ("maker", "reader", "other")}
    assert told == {"maker": "t", "reader": "t", "other": "f"}
    again = play(server, database, tmp_path)
    assert again.returncode == 0 and "changed=0" in again.stdout, again.stdout


def test_what_the_databases_owner_does_not_own_is_not_taken_from_others(
    server: Server, database: str, tmp_path: Path
) -> None:
    server.sql(
        "CREATE TABLE public.of_another (id int); ALTER TABLE public.of_another OWNER TO other", database
    )
    address = url(server, "maker", "made-by-hand", database)
    done = play(server, database, tmp_path, postgresql_adopted_url=address)
    text = " ".join(done.stdout.split())
    assert done.returncode != 0 and "must be owner of table of_another" in text, text
    assert "postgresql_adopt: true" in text and "made-by-hand" not in text
    assert owners(server, database) == {"maker", "other"}
    done = play(server, database, tmp_path, postgresql_adopted_url=address, postgresql_adopt=True)
    assert done.returncode == 0, done.stdout
    assert owners(server, database) == {"mission_control"}


# Beats unnest(anyarray) of pg_catalog wherever `public` is looked at; so do others.
UNNEST = """
CREATE TABLE public.prey (note text);
GRANT ALL ON public.prey TO PUBLIC;
CREATE FUNCTION public.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.prey VALUES (current_user);
  RETURN QUERY SELECT pg_catalog.unnest($1);
END $$;
"""


def test_the_superuser_runs_nothing_of_the_database_that_it_comes_in_by(
    server: Server, tmp_path: Path
) -> None:
    server.sql("GRANT CREATE, USAGE ON SCHEMA public TO mission_control")
    server.sql(f"SET ROLE mission_control; {UNNEST}")
    try:
        server.sql("SELECT * FROM unnest(ARRAY['a'])")
        assert server.sql("DELETE FROM public.prey RETURNING note") == "postgres", "it would be run"
        done = play(server, "another", tmp_path)
        assert done.returncode == 0, done.stdout
        assert server.sql("SELECT note FROM public.prey") == ""
    finally:
        server.sql("DROP FUNCTION public.unnest(text[]); DROP TABLE public.prey")
        server.sql("DROP DATABASE IF EXISTS another")
        server.sql("REVOKE ALL ON SCHEMA public FROM mission_control")


@pytest.mark.parametrize("name", ["postgres", "template0", "template1"])
def test_the_role_refuses_the_servers_own_databases(name: str) -> None:
    tasks = yaml.safe_load((ROLE / "tasks/main.yml").read_text())
    (check,) = [task for task in tasks if task["name"] == "Check the names"]
    conditions = check["ansible.builtin.assert"]["that"]
    assert "postgresql_database not in __postgresql_reserved or postgresql_url | length > 0" in conditions
    reserved = yaml.safe_load((ROLE / "vars/main.yml").read_text())["__postgresql_reserved"]
    assert name in reserved and tuple(reserved) == RESERVED
