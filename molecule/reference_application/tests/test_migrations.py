"""The schema: one head, up and down, and what a start does when it does not fit."""

from __future__ import annotations

from conftest import NewApplication
from support import Application, free_port

START = ("-m", "uvicorn", "app.main:app", "--port")


def tables(application: Application) -> set[str]:
    rows = application.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row["tablename"] for row in rows}


def test_one_head_up_and_down(new_application: NewApplication) -> None:
    application = new_application("empty")
    heads = application.run("-m", "alembic", "heads").stdout.splitlines()
    assert len(heads) == 1
    history = application.run("-m", "alembic", "history").stdout.splitlines()
    assert len(history) >= 2

    application.migrate()
    head = heads[0].split()[0]
    assert application.rows("SELECT version_num FROM alembic_version") == [{"version_num": head}]
    full = tables(application)
    assert {"agents", "boards", "tasks", "activity_events", "approvals", "gateways"} <= full
    check = application.run("-m", "alembic", "check")
    assert check.returncode == 0, check.stdout + check.stderr

    application.migrate("downgrade", "-1")
    assert tables(application) == full - {"approvals"}
    application.migrate("downgrade", "base")
    assert tables(application) == {"alembic_version"}
    application.migrate()
    assert tables(application) == full
    assert application.seed()["changed"]


def test_the_guides_query_works(application: Application) -> None:
    rows = application.rows("SELECT name, status FROM agents")
    assert len(rows) >= 12


def test_an_empty_database_is_refused_without_automatic_migration(new_application: NewApplication) -> None:
    application = new_application("empty")
    done = application.run(*START, str(free_port()))
    assert done.returncode == 3
    assert "run 'alembic upgrade head'" in done.stderr
    assert tables(application) == set()


def test_dev_migrates_at_the_start(new_application: NewApplication) -> None:
    application = new_application("empty", ENVIRONMENT="dev")
    with application.backend() as backend:
        assert backend.read("/api/v1/users/me")["name"] == "Local User"
        assert "db.migrations.complete" in backend.log()
    assert "approvals" in tables(application)


def test_newer_code_on_an_older_schema_looks_healthy_and_can_still_be_migrated(
    new_application: NewApplication,
) -> None:
    application = new_application("empty")
    application.migrate("upgrade", "a1c5e9f30b27")
    with application.backend() as backend:
        assert backend.client.get("/readyz").json() == {"ok": True}
        assert backend.get("/api/v1/gateways").status_code == 500
        assert "unhandled_exception" in backend.log()
    # The missing table was made at the start, the missing columns were not.
    assert "approvals" in tables(application)
    application.migrate()
    assert application.run("-m", "alembic", "check").returncode == 0


def test_a_percent_sign_in_the_address_stops_alembic(application: Application) -> None:
    url = application.database.replace("postgres@", "postgres:a%40b@")
    done = application.run("-m", "alembic", "current", DATABASE_URL=url)
    assert done.returncode != 0
    assert "invalid interpolation syntax" in done.stderr
