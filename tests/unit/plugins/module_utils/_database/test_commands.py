"""Why commands of the database fail, in the words of its driver, of Alembic and of the system."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import commands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    MAKE_ROOM,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import NO_LOG

SQLALCHEMY = """Traceback (most recent call last):
  File "/x/sqlalchemy/engine/base.py", line 1967, in _exec_single_context
    self.dialect.do_execute(
psycopg.errors.UndefinedFile: Erweiterung »vector« ist nicht verfügbar

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
sqlalchemy.exc.OperationalError: (psycopg.errors.UndefinedFile) Erweiterung »vector« ist nicht verfügbar
[SQL: CREATE EXTENSION vector]"""


@pytest.mark.parametrize(
    ("said", "told", "cure"),
    [
        (
            SQLALCHEMY,
            "The database refuses it: sqlalchemy.exc.OperationalError: (psycopg.errors.UndefinedFile)",
            "",
        ),
        ("FAILED: Can't locate revision identified by '1a2b'", "revision identified by '1a2b'.", ""),
        ("pg_dump: error: could not write: No space left on device", "The disk is full.", MAKE_ROOM),
        ("Traceback (most recent call last):\nKeyError: 'x'", "KeyError: 'x'.", ""),
        ("connection to server failed: Connection refused", "", ""),
    ],
)
def test_the_reason_of_a_failure(said: str, told: str, cure: str) -> None:
    reason = commands.DatabaseCommands(Path(NO_LOG), {}).explain(said.splitlines())
    assert told in reason.sentence and bool(told) == bool(reason.sentence)
    assert reason.cure == cure and not reason.otherwise
