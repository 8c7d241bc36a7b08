# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host or its PostgreSQL does not let in who deploys: what they say, and what that means."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..module_utils._host.symptoms import Symptom, recognize

# What sudo says before any module runs. Braces: host, user.
SUDO: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile(r"(?i)must have a tty to run sudo|no tty present"),
        kind="requiretty",
        cause="sudo on {host} wants a terminal (Defaults requiretty in sudoers), and Ansible with "
        "pipelining has none.",
        remedy="Write the line 'Defaults:{user} !requiretty' into a file of /etc/sudoers.d on {host}, or set "
        "ansible_pipelining: false for this host.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)missing sudo password|a password is required|incorrect sudo password"),
        kind="sudo_password",
        cause="sudo on {host} asks {user} for a password, and it was given none or a wrong one.",
        remedy="Run again with --ask-become-pass, or keep ansible_become_password in the vault.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)is not in the sudoers file|may not run sudo|is not allowed to execute"),
        kind="not_a_sudoer",
        cause="{user} may not run sudo on {host}.",
        remedy="Name a user in ansible_user who may, or put this one into the group sudo.",
    ),
)


def contact(result: Mapping[str, Any], host: str, user: str) -> str:
    """Why the first task of a play did not run.

    :param result: of the task that failed, as Ansible has it.
    :param user: as whom Ansible logs in; empty where nobody says.
    """
    said = "\n".join(str(result.get(name) or "") for name in ("msg", "module_stderr", "module_stdout"))
    symptom = recognize(said, SUDO, {"host": host, "user": user or "the user of the connection"})
    return f"{symptom.cause} {symptom.remedy}" if symptom else str(result.get("msg") or "no reason given")


class Rule(NamedTuple):
    """A line of pg_hba.conf."""

    number: int
    text: str
    method: str


def local_rule(text: str, user: str, database: str = "postgres") -> Rule | None:
    """The line of pg_hba.conf that decides about a login through the socket: the first that fits."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if len(words) < 4 or words[0] != "local":
            continue
        databases, users = ([name.strip('"') for name in word.split(",")] for word in words[1:3])
        if {"all", database} & set(databases) and {"all", user} & set(users):
            return Rule(number, " ".join(words), words[3])
    return None


def database(message: str, files: Sequence[Mapping[str, str]], user: str, *, given: bool) -> str:
    """Why PostgreSQL does not let in its superuser, with the line that decides.

    :param message: what libpq says.
    :param files: those that may be the server's pg_hba.conf: `source` and `content` (Base64).
    :param given: whether a password was.
    """
    rules = [
        (str(file["source"]), rule)
        for file in files
        if (rule := local_rule(base64.b64decode(file["content"]).decode("utf-8", "replace"), user))
    ]
    deciding = [f'{path} line {rule.number}: "{rule.text}"' for path, rule in rules]
    where = f" It is decided by {' or '.join(deciding)}." if deciding else ""
    said = f"PostgreSQL does not let in its superuser {user}: {message.strip().rstrip('.')}.{where}"
    asks = {rule.method for _path, rule in rules} & {"scram-sha-256", "md5", "password"}
    if given and asks:
        return f"{said} Correct postgresql_superuser_password."
    if asks:
        return (
            f"{said} Set postgresql_superuser_password (in the vault), or the method of that line to peer, "
            "and reload PostgreSQL."
        )
    return f'{said} It needs a line "local all {user} peer" above others that fit.'
