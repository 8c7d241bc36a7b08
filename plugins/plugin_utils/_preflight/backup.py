# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about backups: where they go, and what opens that place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...module_utils._backup.addresses import split_login
from ...module_utils._redaction import Redactor
from .model import PREFIX, Context, Problem

# What restic knows beside directories.
SCHEMES = ("sftp", "s3", "rest", "b2", "azure", "gs", "swift", "rclone")
DEFAULT = "/var/backups/mission-control"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
# Behind the scheme, with or without one of its own.
_PASSWORD = re.compile(r"[^:]+:(\w+:)?(//)?[^/@]*:[^/@]*@")
_KEPT = ("daily", "weekly", "monthly")
_SHORTEST = 12
# What S3's keys may come from.
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE")


def repository_fault(repository: str) -> tuple[str, str]:
    """What is wrong with the address of a repository, and what to do; empty where nothing is."""
    scheme, colon, rest = repository.partition(":")
    if not colon or scheme.startswith("/"):
        if repository.startswith("/") and ".." not in repository.split("/"):
            return "", ""
        return (
            "is neither an absolute path nor an address of restic's",
            f"use a directory from / on, or one of {', '.join(f'{name}:' for name in SCHEMES)}",
        )
    if scheme not in SCHEMES:
        return (
            f"starts with {scheme}:, a place that restic does not know",
            f"use one of {', '.join(f'{name}:' for name in SCHEMES)}",
        )
    if not rest.strip("/"):
        example = _EXAMPLES.get(scheme, f"{scheme}:...")
        return f"names nothing after {scheme}:", f"complete it, for example {example}"
    if scheme == "rest" and not rest.startswith(("http://", "https://", "unix:")):
        return "wants a URL after rest:", f"write {_EXAMPLES['rest']}"
    return "", ""


_EXAMPLES = {
    "sftp": "sftp:backup@store.example.com:/srv/backups",
    "s3": "s3:https://s3.example.com/backups",
    "rest": "rest:https://store.example.com/backups",
}


def _wanted(context: Context) -> bool:
    return context.flag("backup", True) is not False


def backup_repository(context: Context) -> Iterator[Problem]:
    if not _wanted(context):
        return
    credentials = context.get("backup_credentials", {})
    names = set(credentials) if isinstance(credentials, Mapping) else set()
    # What is told of an address is told without a login.
    repository, login = split_login(str(context.get("backup_repository", DEFAULT)))
    variable = f"{PREFIX}_backup_repository"
    if _PASSWORD.match(repository):
        yield Problem(
            "backup_repository",
            variable,
            message="holds a password",
            remedy=f"put what restic has it from into {PREFIX}_backup_credentials; only rest: takes it here",
        )
        return
    repository = Redactor().text(repository)
    if names & set(login):
        yield Problem(
            "backup_repository",
            variable,
            value=repository,
            message=f"holds a login, and {PREFIX}_backup_credentials has one, too",
            remedy="give it in one of both",
        )
    fault, cure = repository_fault(repository)
    if fault:
        yield Problem("backup_repository", variable, value=repository, message=fault, remedy=cure)
        return
    if repository.startswith("s3:") and not names & set(_KEYS):
        yield Problem(
            "backup_repository",
            variable,
            value=repository,
            message="needs the keys of S3, and there are none",
            remedy=f"give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in {PREFIX}_backup_credentials",
        )
    if repository.startswith("sftp:") and not str(context.get("backup_known_hosts", "")).strip():
        yield Problem(
            "backup_repository",
            variable,
            value=repository,
            message="lies on a server whose key is not known",
            remedy="put its line (ssh-keyscan, compared with what its owner says) into "
            f"{PREFIX}_backup_known_hosts",
        )


def backup_settings(context: Context) -> Iterator[Problem]:
    if context.flag("backup", True) is None:
        yield Problem(
            "backup_settings",
            f"{PREFIX}_backup",
            value=str(context.get("backup")),
            message="is neither true nor false",
            remedy="set true or false",
        )
    if context.get("restore") and not _wanted(context):
        yield Problem(
            "backup_settings",
            f"{PREFIX}_restore",
            value=str(context.get("restore")),
            message="wants a restore point, and there are no backups",
            remedy=f"set {PREFIX}_backup to true, and name the repository",
        )
    if not _wanted(context):
        return
    environment = str(context.get("backup_environment", "mission-control"))
    if not _NAME.fullmatch(environment):
        yield Problem(
            "backup_settings",
            f"{PREFIX}_backup_environment",
            value=environment,
            message="holds other characters than letters, digits, . _ and -",
            remedy="choose another name",
        )
    password = str(context.get("backup_password", ""))
    if password and len(password) < _SHORTEST:
        yield Problem(
            "backup_settings",
            f"{PREFIX}_backup_password",
            message=f"is shorter than {_SHORTEST} characters",
            remedy="use what openssl rand -hex 24 gives, or leave it out: one is made and kept then",
        )
    yield from _wal(context)
    yield from _keep(context)
    yield from _credentials(context)


def _wal(context: Context) -> Iterator[Problem]:
    """Point in time is for a server of ours, and for places that pgBackRest knows."""
    wanted = context.flag("backup_wal", False)
    if wanted is False:
        return
    repository = str(context.get("backup_repository", DEFAULT))
    message, remedy = "", ""
    if wanted is None:
        message, remedy = "is neither true nor false", "set true or false"
    elif context.get("database_url"):
        message = (
            "wants a PostgreSQL server of this deployment's own, and mission_control_database_url is set"
        )
        remedy = "use point in time of whoever runs that server, and leave it out here"
    elif not repository.startswith(("/", "s3:https://")):
        message = f"does not go with {repository.partition(':')[0]}: as mission_control_backup_repository"
        remedy = "use a directory, or S3 by https"
    if message:
        yield Problem("backup_settings", f"{PREFIX}_backup_wal", message=message, remedy=remedy)


def _keep(context: Context) -> Iterator[Problem]:
    keep = context.get("backup_keep", {})
    fits = isinstance(keep, Mapping) and all(
        name in _KEPT and str(number).isdigit() for name, number in keep.items()
    )
    if not fits:
        yield Problem(
            "backup_settings",
            f"{PREFIX}_backup_keep",
            value=str(keep),
            message="is not a dictionary of numbers",
            remedy="write for example {daily: 7, weekly: 4, monthly: 6}",
        )
    elif keep and not any(int(number) for number in {**dict.fromkeys(_KEPT, 1), **keep}.values()):
        yield Problem(
            "backup_settings",
            f"{PREFIX}_backup_keep",
            value=str(dict(keep)),
            message="keeps nothing",
            remedy="keep some days, weeks or months",
        )


def _credentials(context: Context) -> Iterator[Problem]:
    credentials = context.get("backup_credentials", {})
    names = credentials if isinstance(credentials, Mapping) else ["no dictionary"]
    if not all(_VARIABLE.fullmatch(str(name)) for name in names):
        yield Problem(
            "backup_settings",
            f"{PREFIX}_backup_credentials",
            message="is not a dictionary of environment variables",
            remedy="write for example {AWS_ACCESS_KEY_ID: ..., AWS_SECRET_ACCESS_KEY: ...}",
        )
