# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words as sudo of Debian 13 and PostgreSQL 17 say them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _refusals

BROKEN = "Module result deserialization failed: No start of json char found"
SOCKET = 'connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: '
DEBIAN = """# TYPE  DATABASE        USER            ADDRESS                 METHOD

# Database administrative login by Unix domain socket
local   all             postgres                                peer
local   all             all                                     peer
host    all             all             127.0.0.1/32            scram-sha-256
"""


@pytest.mark.parametrize(
    ("result", "told", "remedy"),
    [
        (
            {"msg": BROKEN, "module_stderr": "sudo: sorry, you must have a tty to run sudo\n", "rc": 1},
            "sudo on h wants a terminal (Defaults requiretty in sudoers)",
            "Defaults:ops !requiretty",
        ),
        (
            {"msg": "Task failed: Missing sudo password"},
            "sudo on h asks ops for a password",
            "--ask-become-pass",
        ),
        (
            {"msg": BROKEN, "module_stderr": "ops is not in the sudoers file.\n"},
            "ops may not run sudo on h",
            "ansible_user",
        ),
        # Anything else in its own words.
        ({"msg": "There is no disk."}, "There is no disk.", ""),
        ({}, "no reason given", ""),
    ],
)
def test_why_the_first_task_did_not_run(result: dict[str, Any], told: str, remedy: str) -> None:
    found = _refusals.contact(result, "h", "ops")
    assert told in found and remedy in found


@pytest.mark.parametrize(
    ("text", "number", "method"),
    [
        (DEBIAN, 4, "peer"),
        (
            DEBIAN.replace("postgres                                peer", "postgres  scram-sha-256"),
            4,
            "scram-sha-256",
        ),
        ("local all all md5\nlocal all postgres peer\n", 1, "md5"),
        ('local "mine",postgres ops,"postgres" trust # all of us', 1, "trust"),
        ("local mine all md5\nlocal all ops md5\nhost all all ::1/128 md5\nlocal all\n", None, ""),
        ("local replication all peer\nlocal all all peer\n", 2, "peer"),
    ],
)
def test_the_first_line_that_fits_decides(text: str, number: int | None, method: str) -> None:
    rule = _refusals.local_rule(text, "postgres")
    assert (rule and (rule.number, rule.method)) == (number and (number, method))


@pytest.mark.parametrize(
    ("line", "given", "said", "remedy"),
    [
        (
            "local all postgres scram-sha-256",
            False,
            f"{SOCKET}fe_sendauth: no password supplied",
            "Set postgresql_superuser_password (in the vault), or the method of that line to peer",
        ),
        (
            "local all all md5",
            True,
            f'{SOCKET}FATAL:  password authentication failed for user "postgres"',
            "Correct postgresql_superuser_password.",
        ),
        (
            "local all kim peer",
            False,
            f'{SOCKET}FATAL:  no pg_hba.conf entry for host "[local]", user "postgres"',
            'It needs a line "local all postgres peer"',
        ),
    ],
)
def test_the_line_that_keeps_the_superuser_out_is_named(
    line: str, given: bool, said: str, remedy: str
) -> None:
    path = "/etc/postgresql/17/main/pg_hba.conf"
    files = [{"source": path, "content": base64.b64encode(f"# ours\n{line}\n".encode()).decode()}]
    told = _refusals.database(said, files, "postgres", given=given)
    assert said in told and remedy in told
    assert (f'{path} line 2: "{line}"' in told) is ("kim" not in line)
