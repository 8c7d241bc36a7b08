# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive that a person takes elsewhere: plain files, and how to restore them without us."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from .._application.layout import Layout
from .._host import reading
from .._host.accounts import SEARCH_PATH, Account
from .._host.deployment_errors import DeploymentError
from .._host.environment_file import parse_environment_file, secret_names
from .._host.errors import HostError
from .._shown_settings import masked
from . import making, streams
from .configuration import DATABASE, GATEWAY, SETTINGS, Configuration
from .owners import by_owner
from .repository import alone
from .reserve import keeping_reserve

README = """\
# Mission Control, as it was at {time}

Taken from {host} (release {release}). Nothing here is encrypted: keep it as you would keep the data itself.
`sha256sum --check SHA256SUMS` tells whether the files are whole.
{contents}
To restore it by hand, with nothing but PostgreSQL {server} or newer:

    createuser mission_control --pwprompt
    createdb mission_control --owner=mission_control
    zcat database.sql.gz | psql --set=ON_ERROR_STOP=1 --single-transaction --dbname=mission_control

psql obeys no command that the application or its agents may have written into it (\\restrict, which versions
of August 2025 and later know; older ones stop). Its SQL may do what the role may that restores it.

Then run the product at this revision: {revision}
with the settings of settings.env in its backend/.env, DATABASE_URL with the new password among them.
The schema is at {schema}; the migrations of a newer product take it on from there.
"""
CONTENTS = {
    "database.sql.gz": "what pg_dump writes: {tables} tables with {rows} rows, without owners and rights",
    "settings.env": "the settings of the backend{masked}",
    "settings.tar.gz": "settings, device identity, history and units as they lie on the host, with secrets",
    "gateway.tar.gz": "the gateway's configuration, pairings, sessions and workspaces, with secrets",
}
MASKED = "; secrets are masked (-e export_secrets=true has them)"


def export(configuration: Configuration, options: Mapping[str, Any], time: str) -> dict[str, Any]:
    """Write it into an empty directory; whoever owns that gets the files."""
    wanted = Path(options["directory"] or "")
    with _opened(wanted) as (directory, owner), alone(configuration, "export"):
        kept = _Files(directory, owner)
        watch = keeping_reserve(wanted)
        answer = _write(configuration, kept, watch, secrets=bool(options["secrets"]), time=time)
    answer["files"] = [str(wanted / name) for name in answer["files"]]
    return {"changed": True, **answer}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    """The directory itself, which nobody replaces by a link any more."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise DeploymentError(f"directory: {path}: {error.strerror}.", kind="no_directory") from None
    try:
        found = os.fstat(descriptor)
        if os.listdir(descriptor) or stat.S_IMODE(found.st_mode) & 0o077:  # noqa: PTH208
            raise DeploymentError(
                f"directory: {path} is not empty, or not its owner's alone.",
                kind="bad_directory",
                remedy="Give a new directory of mode 0700.",
            )
        yield descriptor, found
    finally:
        os.close(descriptor)


class _Files:
    """New files in one directory, with their digests."""

    def __init__(self, directory: int, owner: os.stat_result) -> None:
        self._directory, self._owner, self.digests = directory, owner, dict[str, str]()

    @contextmanager
    def new(self, name: str) -> Iterator[IO[bytes]]:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self._directory)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fchown(descriptor, self._owner.st_uid, self._owner.st_gid)
            file.seek(0)
            self.digests[name] = hashlib.file_digest(file, "sha256").hexdigest()

    def text(self, name: str, text: str) -> None:
        with self.new(name) as file:
            file.write(text.encode())

    def packed(self, name: str, work: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """What the work writes to a descriptor, through gzip."""
        with self.new(name) as file, tempfile.TemporaryFile() as complaints:
            reader, writer = os.pipe()
            try:
                packer = subprocess.Popen(
                    ["gzip", "--fast"],
                    stdin=reader,
                    stdout=file,
                    stderr=complaints,
                    env={"PATH": SEARCH_PATH},
                    cwd="/",
                )
            finally:
                os.close(reader)
            failure: HostError | OSError | None = None
            try:
                answer = work(writer)
            except (HostError, OSError) as error:
                failure = error
            finally:
                os.close(writer)
                status = packer.wait()
            if status != 0:
                # Whoever writes to it only learns that nobody reads.
                complaints.seek(0)
                lines = complaints.read(1 << 16).decode("utf-8", "replace").splitlines()
                reason = lines[-1] if lines else f"gzip ended with status {status}"
                raise DeploymentError(
                    f"{name} cannot be written: {reason}.",
                    kind="export_failed",
                    remedy="Nothing was kept of it. See that the host has room for it in /var/tmp.",
                )
            if failure is not None:
                raise failure
            return answer


def _write(
    configuration: Configuration, files: _Files, watch: Callable[[], None], *, secrets: bool, time: str
) -> dict[str, Any]:
    released = making.released(configuration.root, configuration.account)
    root = configuration.root_directory
    facts: dict[str, Any] = {"schema": [], "rows": {}, "server": ""}
    if DATABASE in configuration.parts:
        facts = files.packed(
            "database.sql.gz",
            lambda pipe: by_owner(
                configuration.account.name,
                lambda account: streams.dump_database(root, account, pipe, plain=True),
                keep=[pipe],
                watch=watch,
            ),
        )
    if SETTINGS in configuration.parts:
        files.text("settings.env", _settings(configuration, secrets))
    if secrets:
        for part in (SETTINGS, GATEWAY):
            if part in configuration.parts:
                files.packed(f"{part}.tar.gz", partial(making.write_part, configuration, part, watch=watch))
    words = {
        "masked": "" if secrets else MASKED,
        "tables": len(facts["rows"]),
        "rows": sum(facts["rows"].values()),
    }
    contents = "".join(
        f"\n- `{name}`: {text.format(**words)}" for name, text in CONTENTS.items() if name in files.digests
    )
    readme = README.format(
        time=time,
        host=configuration.host,
        release=_word(released["release"] or "none"),
        revision=_word(released["record"].get("revision") or released["release"]),
        contents=contents + "\n",
        server=facts["server"],
        schema=", ".join(map(_word, facts["schema"])) or "no revision",
    )
    files.text("README.md", readme)
    files.text("SHA256SUMS", "".join(f"{digest}  {name}\n" for name, digest in files.digests.items()))
    return {"files": list(files.digests), "rows": facts["rows"], "release": released["release"]}


def _word(told: object) -> str:
    """What a user's file or database says, as a word among ours."""
    return re.sub(r"[^\w.+/-]", "?", str(told))[:100]


def _settings(configuration: Configuration, secrets: bool) -> str:
    root = configuration.root_directory

    def look(_account: Account) -> str:
        layout = Layout(root)
        text = reading.read_regular(layout.release(layout.current_release or "-") / "backend/.env")
        if secrets:
            return text
        shown = masked(parse_environment_file(text), secret_names(text))
        return "".join(f"{name}={value}\n" for name, value in shown.items())

    found: str = by_owner(configuration.account.name, look)
    return found
