# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead log of this host's own server, archived all the time by pgBackRest.

Root starts its programs as the server's administrator and reads what they say, none of their files.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .._host import files, moving
from .._host.accounts import find_account
from .._host.commands import Completed, Runner, run
from .._host.deployment_errors import DeploymentError
from .._plain_json import parse_json
from .configuration import Configuration, read_credentials
from .put import has_other_text, systemctl
from .server import ADMINISTRATOR, as_administrator, ask_server

# Of the package, and its administrator's.
LOCKS = Path("/var/lib/pgbackrest/lock")
STANZA = "mission-control"
SETTINGS = Path("/etc/mission-control/pgbackrest.conf")
# A full backup of the server's files begins a week; the days of it have what differs.
WEEK = 7 * 86400
# Seconds after which what was written is archived, full segment or not.
LOSS = 60
SERVER_SETTINGS = f"""\
# Written by the role backup of openclaw.mission_control: point in time (mission_control_backup_wal).
archive_mode = on
archive_command = 'pgbackrest --config={SETTINGS} --stanza={STANZA} archive-push %p'
archive_timeout = {LOSS}
"""


def place_of(repository: str) -> str:
    """Where the log goes: beside the repository of restic."""
    return repository.rstrip("/") + "-wal"


def key_of(password: str) -> str:
    """What encrypts it; whoever has it, the server's administrator say, does not know the password."""
    return hmac.new(password.strip().encode(), b"pgbackrest", hashlib.sha256).hexdigest()


def cluster(configuration: Configuration, runner: Runner = run) -> dict[str, str]:
    """Debian's cluster at the port."""
    listed = runner(["pg_lsclusters", "--no-header"])
    for line in listed.stdout.split("\n"):
        words = line.split()
        if len(words) >= 6 and words[2] == str(configuration.wal_port):
            return {"version": words[0], "name": words[1], "data": words[5], "port": words[2]}
    raise DeploymentError(
        f"No cluster of PostgreSQL listens on port {configuration.wal_port} of this host.",
        kind="no_database",
        remedy="mission_control_backup_wal is for a server of this deployment's own, on this host.",
    )


def settings_text(configuration: Configuration, password: str, data: str) -> str:
    """The configuration of pgBackRest. It holds secrets."""
    lines = ["[global]", *_repository(configuration)]
    lines += [
        "repo1-cipher-type=aes-256-cbc",
        f"repo1-cipher-pass={key_of(password)}",
        "repo1-retention-full-type=time",
        f"repo1-retention-full={max(1, configuration.keep['daily'])}",
        "compress-type=zst",
        "start-fast=y",
        "log-level-console=warn",
        "log-level-file=off",
        # What cannot be archived fills the server's disk; beyond that it is dropped, and the check tells.
        "archive-push-queue-max=8GiB",
        # Its own place is below /tmp, where anybody can be before it.
        f"lock-path={LOCKS}",
        "",
        f"[{STANZA}]",
        f"pg1-path={data}",
        f"pg1-port={configuration.wal_port}",
    ]
    return "\n".join(lines) + "\n"


def _repository(configuration: Configuration) -> list[str]:
    place = place_of(configuration.repository)
    if place.startswith("/"):
        return [f"repo1-path={place}"]
    if place.startswith("s3:"):
        parts = urlsplit(place.removeprefix("s3:"))
        bucket, _slash, path = parts.path.strip("/").removesuffix("-wal").partition("/")
        keys = read_credentials(configuration)
        return [
            "repo1-type=s3",
            f"repo1-path=/{path}-wal",
            f"repo1-s3-bucket={bucket}",
            f"repo1-s3-endpoint={parts.netloc}",
            f"repo1-s3-region={keys.get('AWS_DEFAULT_REGION', 'us-east-1')}",
            f"repo1-s3-key={keys.get('AWS_ACCESS_KEY_ID', '')}",
            f"repo1-s3-key-secret={keys.get('AWS_SECRET_ACCESS_KEY', '')}",
            "repo1-s3-uri-style=path",
        ]
    raise DeploymentError(
        f"mission_control_backup_wal: not with {configuration.repository.split(':')[0]}: as repository.",
        kind="bad_configuration",
        remedy="Use a directory or S3 (https) as mission_control_backup_repository, or no point in time.",
    )


def pgbackrest(*words: str, what: str, runner: Runner = run) -> Completed:
    argv = ["pgbackrest", f"--config={SETTINGS}", f"--stanza={STANZA}", *words]
    return as_administrator(argv, what, runner)


def taken(runner: Runner = run) -> list[dict[str, Any]]:
    """The backups of the server's files, the oldest first."""
    output = pgbackrest("--output=json", "info", what="Looking at the archive", runner=runner).stdout
    return [
        {"type": found["type"], "start": found["timestamp"]["start"], "stop": found["timestamp"]["stop"]}
        for stanza in parse_json(output)
        for found in stanza.get("backup") or ()
        if not found.get("error")
    ]


def back_up(now: float, runner: Runner = run) -> dict[str, Any]:
    """One of the server's files: a full one each week, what differs from it in between."""
    fresh = any(found["type"] == "full" and now - found["stop"] < WEEK - 3600 for found in taken(runner))
    kind = "diff" if fresh else "full"
    pgbackrest(f"--type={kind}", "backup", what="Backing up the server's files", runner=runner)
    return {"type": kind}


def set_up(configuration: Configuration, password: str, *, check: bool, runner: Runner = run) -> list[str]:
    """Have the server archive; returns what was done. A server that archives elsewhere is left alone."""
    if not configuration.wal:
        return _take_away(configuration, check, runner)
    there = cluster(configuration, runner)
    drop_in = _drop_in(there)
    group = find_account(ADMINISTRATOR).gid
    texts = {SETTINGS: settings_text(configuration, password, there["data"]), drop_in: SERVER_SETTINGS}
    done = [f"write {path}" for path, text in texts.items() if has_other_text(path, text)]
    if check or not done:
        return done
    if not drop_in.exists() and ask_server(configuration, "SHOW archive_mode", runner) != "off":
        raise DeploymentError(
            "The server archives its write-ahead log already, by somebody else's settings.",
            kind="archives_elsewhere",
            remedy="Leave mission_control_backup_wal out, or take archive_mode out of the server's settings.",
        )
    _directory(configuration)
    files.write_atomically(SETTINGS, texts[SETTINGS], 0o640, (0, group))
    pgbackrest("stanza-create", what="Making the archive", runner=runner)
    files.write_atomically(drop_in, texts[drop_in], 0o644)
    _restart(there, runner)
    pgbackrest("check", what="Archiving", runner=runner)
    if not taken(runner):
        pgbackrest("--type=full", "backup", what="Backing up the server's files", runner=runner)
    return done


def _drop_in(there: Mapping[str, str]) -> Path:
    return Path("/etc/postgresql", there["version"], there["name"], "conf.d/91-mission-control-archive.conf")


def _directory(configuration: Configuration) -> None:
    """A directory beside root's repository, which is the administrator's."""
    place = place_of(configuration.repository)
    if not place.startswith("/"):
        return
    path, account = Path(place), find_account(ADMINISTRATOR)
    if not path.exists():
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.mkdir(mode=0o750)
        moving.give(path, account.uid, account.gid)


def _restart(there: Mapping[str, str], runner: Runner) -> None:
    systemctl(runner, "restart", f"postgresql@{there['version']}-{there['name']}.service")


def _take_away(configuration: Configuration, check: bool, runner: Runner) -> list[str]:
    """The server archives no more; what it has archived stays."""
    if not SETTINGS.exists():
        return []
    paths = list(Path("/etc/postgresql").glob("*/*/conf.d/91-mission-control-archive.conf"))
    if not check:
        for path in paths:
            path.unlink()
            _restart({"version": path.parts[3], "name": path.parts[4]}, runner)
        SETTINGS.unlink()
    return [f"remove {path}" for path in (*paths, SETTINGS)]
