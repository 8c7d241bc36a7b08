# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of a release on the host: Git, archive or directory, kept as shared/source/<revision>/tree."""

from __future__ import annotations

import json
import os
import re
import ssl
import tarfile
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .._host import files, reading, trees
from .._host.build_obstacles import TRUST, distrusts
from .._host.deployment_errors import DeploymentError
from .._host.logged_commands import Commands
from .._host.proxies import sent_to_proxy
from .._host.proxy_exceptions import with_exceptions
from .._plain_json import parse_json
from .._times.record_stamps import utc_stamp
from .git import PIN_REMEDY, SHORT, _Repository, split_login, without_password

REQUIRED = ("backend/uv.lock", "frontend/package-lock.json")
PARTS = ("backend", "frontend", "scripts")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CHECKSUM = re.compile(r"sha256:([0-9a-f]{64})")
ENDINGS = ", ".join(trees.SUFFIXES)


def kind_of(source: str, exists: Callable[[str], bool]) -> str:
    """git, url (an archive to download), archive (on the controller) or directory (on the controller)."""
    scheme = urllib.parse.urlsplit(source).scheme
    if scheme in ("http", "https"):
        return "url" if trees.is_archive(urllib.parse.urlsplit(source).path) else "git"
    if scheme in ("ssh", "git", "file", "git+ssh") or re.match(r"[\w.-]+@[\w.-]+:", source):
        return "git"
    if exists(source):
        return "archive" if trees.is_archive(source) else "directory"
    raise DeploymentError(
        f"mission_control_source: {without_password(source)} is neither a directory nor an archive on the "
        "controller, and no URL.",
        kind="no_source",
        remedy=f"Name a Git URL, the URL or path of an archive ({ENDINGS}), or a directory.",
    )


def checksum_of(checksum: str, *, needed: bool) -> str:
    """The hexadecimal digest in "sha256:…", or nothing."""
    match = _CHECKSUM.fullmatch(checksum.strip().lower())
    if match:
        return match[1]
    if checksum or needed:
        raise DeploymentError(
            f"mission_control_source_checksum: {checksum or 'empty'}; an archive needs its SHA-256.",
            kind="bad_checksum",
            remedy="Set it to sha256:<64 hexadecimal digits>, as sha256sum prints them.",
        )
    return ""


def missing_files(names: Callable[[str], bool], required: tuple[str, ...] = REQUIRED) -> list[str]:
    return [name for name in required if not names(name)]


def refuse_missing(missing: list[str], source: str) -> None:
    if missing:
        raise DeploymentError(
            f"mission_control_source: {without_password(source)} has no {' and no '.join(missing)}.",
            kind="incomplete_source",
            remedy="It must be laid out like the product: backend/ and frontend/ with their lock files.",
        )


@dataclass(frozen=True)
class SourceStore:
    """Sources below the application's root; a source never changes once its description is there."""

    root: Path

    @property
    def base(self) -> Path:
        return self.root / "shared" / "source"

    def path(self, revision: str) -> Path:
        return self.base / revision[:SHORT]

    def description(self, revision: str) -> dict[str, Any] | None:
        try:
            record = parse_json(reading.read_regular(self.path(revision) / "source.json"))
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) and record.get("revision") == revision else None

    def tree(self, revision: str) -> Path:
        return self.path(revision) / "tree"

    def partial(self, revision: str) -> Path:
        return self.base / f".{revision[:SHORT]}.partial"

    def begin(self, revision: str) -> Path:
        partial = self.partial(revision)
        files.remove(partial)
        (partial / "tree").mkdir(parents=True)
        return partial

    def finish(
        self, revision: str, *, kind: str, origin: str, described: str, required: tuple[str, ...]
    ) -> dict[str, Any]:
        """Describe what lies in the partial directory and give it its name."""
        partial = self.partial(revision)
        tree = partial / "tree"
        top = trees.strip_single_directory(tree, "backend")
        if top != tree:
            aside = partial / "top"
            top.rename(aside)
            files.remove(tree)
            aside.rename(tree)
        refuse_missing(missing_files(lambda name: (tree / name).is_file(), required), origin)
        record: dict[str, Any] = {
            "revision": revision,
            "kind": kind,
            "origin": without_password(origin),
            "described": described,
            "brought": utc_stamp(),
            "trees": {part: trees.fingerprint(tree / part) for part in PARTS if (tree / part).is_dir()},
            "files": {name: files.file_digest(tree / name) for name in REQUIRED if (tree / name).is_file()},
        }
        files.write_atomically(partial / "source.json", json.dumps(record, indent=1) + "\n")
        final = self.path(revision)
        files.remove(final)
        partial.rename(final)
        return record


@dataclass
class Request:
    """What the module was asked for."""

    kind: str
    source: str
    revision: str = ""
    checksum: str = ""
    archive: IO[bytes] | None = None  # a file on the host, brought from the controller
    tree: str = ""  # fingerprint of the tree, which then comes out of a bundle
    described: str = ""
    required: tuple[str, ...] = REQUIRED
    check_mode: bool = False
    fetched_by_root: bool = False  # a Git repository that the application's user has no login for
    environment: Mapping[str, str] = field(default_factory=dict)


def bring(store: SourceStore, request: Request, commands: Commands) -> dict[str, Any]:
    """Have the source on the host; the answer says what it is and whether anything was done."""
    if request.tree:
        return _bring_bundled(store, request)
    if request.kind == "git" and not request.fetched_by_root:
        return _bring_git(store, request, commands)
    if request.kind == "url":
        return _bring_url(store, request, commands)
    record = store.description(request.revision)
    if record is not None:
        return _answer(store, record, changed=False)
    if request.archive is None:
        return predicted(request, needs_upload=True)
    store.begin(request.revision)
    return _unpack_and_finish(store, request, request.archive)


def _bring_bundled(store: SourceStore, request: Request) -> dict[str, Any]:
    """The source of a bundle keeps the name that it has everywhere else: its commit, say."""
    record = store.description(request.revision)
    if record is not None:
        return _answer(store, record, changed=False)
    if request.check_mode:
        return predicted(request)
    if request.archive is None:
        raise DeploymentError(
            f"The bundle's source {request.revision[:SHORT]} is not on this host.",
            kind="no_bundle",
            remedy="Bring the bundle first (role openclaw.mission_control.common).",
        )
    store.begin(request.revision)
    return _unpack_and_finish(store, request, request.archive)


def _answer(store: SourceStore, record: Mapping[str, Any], *, changed: bool) -> dict[str, Any]:
    return {**record, "path": str(store.tree(record["revision"])), "changed": changed, "present": True}


def predicted(request: Request, *, needs_upload: bool = False, revision: str = "") -> dict[str, Any]:
    """The answer for a source that is not there yet."""
    return {
        "revision": revision or request.revision,
        "kind": request.kind,
        "origin": without_password(request.source),
        "described": request.described,
        "path": None,
        "changed": True,
        "present": False,
        "needs_upload": needs_upload,
    }


def _unpack_and_finish(store: SourceStore, request: Request, archive: IO[bytes]) -> dict[str, Any]:
    partial = store.partial(request.revision)
    try:
        if (
            request.kind == "archive"
            and not request.tree
            and files.stream_digest(archive) != request.revision
        ):
            raise DeploymentError("The archive arrived damaged.", kind="damaged", remedy="Run again.")
        trees.unpack(archive, request.described or "source", partial / "tree")
        wanted = request.tree or (request.revision if request.kind == "directory" else "")
        if wanted and trees.fingerprint(partial / "tree") != wanted:
            raise DeploymentError(
                "What arrived is not what was packed.",
                kind="damaged",
                remedy="Did the directory change meanwhile? Run again.",
            )
        record = store.finish(
            request.revision,
            kind=request.kind,
            origin=request.source,
            described=request.described,
            required=request.required,
        )
    except BaseException:
        files.remove(partial)
        raise
    return _answer(store, record, changed=True)


def _bring_url(store: SourceStore, request: Request, commands: Commands) -> dict[str, Any]:
    digest = checksum_of(request.checksum, needed=True)
    request.revision = digest
    record = store.description(digest)
    if record is not None:
        return _answer(store, record, changed=False)
    if request.check_mode:
        return predicted(request)
    partial = store.begin(digest)
    name = urllib.parse.urlsplit(request.source).path.rsplit("/", 1)[-1]
    download = partial / f"download-{name}"
    commands.note(f"download of {without_password(request.source)}")
    try:
        _download(request.source, download, request.environment)
        found = files.file_digest(download)
        if found != digest:
            raise DeploymentError(
                f"mission_control_source_checksum: {name} has sha256:{found}, not sha256:{digest}.",
                kind="checksum_differs",
                remedy="Nothing was changed. Find out why the archive differs before you set another.",
            )
        request.described = name
        with download.open("rb") as archive:
            answer = _unpack_and_finish(store, request, archive)
        files.remove(store.path(digest) / download.name)
        return answer
    except BaseException:
        files.remove(partial)
        raise


def _download(url: str, target: Path, environment: Mapping[str, str]) -> None:
    direct = not sent_to_proxy(with_exceptions(environment), [urllib.parse.urlsplit(url).hostname or ""])
    proxies = {
        scheme: environment[name]
        for scheme in ("http", "https")
        for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
        if environment.get(name) and not direct
    }
    context = ssl.create_default_context(cafile=environment.get("SSL_CERT_FILE") or None)
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    handlers.append(urllib.request.ProxyHandler(proxies))
    plain, login = split_login(url)
    if login:
        # Sent at once, because some servers deny what they do not show; but not to where they redirect to.
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        passwords.add_password(None, plain, login.user, login.password, is_authenticated=True)
        handlers.append(urllib.request.HTTPBasicAuthHandler(passwords))
    try:
        with (
            urllib.request.build_opener(*handlers).open(plain, timeout=60) as answer,
            target.open("wb") as out,
        ):
            while block := answer.read(1 << 20):
                out.write(block)
    except (urllib.error.URLError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == 28:
            raise
        reason = getattr(error, "reason", error)
        if isinstance(error, urllib.error.HTTPError):
            reason = f"the server answers {error.code} {reason}"
            error.close()
        raise DeploymentError(
            f"mission_control_source: {without_password(url)} cannot be had: {reason}.",
            kind="download_failed",
            remedy=TRUST
            if distrusts(str(reason))
            else "Check the URL, and mission_control_download_environment if the host needs a proxy.",
        ) from None


def no_revision(wanted: str) -> DeploymentError:
    """What is no name of a revision."""
    return DeploymentError(
        f"mission_control_revision: {wanted or 'empty'}.", kind="no_revision", remedy=PIN_REMEDY
    )


def _bring_git(store: SourceStore, request: Request, commands: Commands) -> dict[str, Any]:
    wanted = request.revision.strip()
    if not wanted or wanted.startswith("-"):
        raise no_revision(wanted)
    if COMMIT.fullmatch(wanted):
        record = store.description(wanted)
        if record is not None:
            return _answer(store, record, changed=False)
    repository = _Repository(store.base / "repository.git", request.source, commands)
    try:
        commit = wanted if COMMIT.fullmatch(wanted) else repository.look_up(wanted)
    except DeploymentError as error:
        if request.check_mode and error.kind == "no_such_command":
            # Git would have been installed before.
            return predicted(request)
        raise
    record = store.description(commit) if commit else None
    if record is not None:
        return _answer(store, record, changed=False)
    if request.check_mode:
        return predicted(request, revision=commit or wanted)
    commit = repository.fetch(commit, wanted)
    record = store.description(commit)
    if record is not None:
        return _answer(store, record, changed=False)
    refuse_missing(missing_files(lambda name: repository.has(commit, name), request.required), request.source)
    partial = store.begin(commit)
    try:
        repository.export(commit, partial)
        described = wanted if wanted != commit else commit[:SHORT]
        record = store.finish(
            commit, kind="git", origin=request.source, described=described, required=request.required
        )
    except BaseException:
        files.remove(partial)
        raise
    return _answer(store, record, changed=True)


def prune(store: SourceStore, kept: set[str]) -> list[str]:
    """Remove sources of which no release is left."""
    removed = []
    if store.base.is_dir():
        for path in store.base.iterdir():
            if path.name == "repository.git" or path.name in {name[:SHORT] for name in kept}:
                continue
            if path.name.startswith(".") or (path / "source.json").exists():
                files.remove(path)
                removed.append(path.name)
    return removed


def on_controller(source: str, checksum: str) -> tuple[str, str]:
    """The source as a path or URL, and its kind; an error for whatever is seen to be wrong with it here."""
    source = source.strip()
    if not source:
        raise DeploymentError(
            "mission_control_source: empty.",
            kind="no_source",
            remedy="Name the product's Git URL, an archive or a directory.",
        )
    if source.startswith(("~", "./", "../")):
        source = str(Path(source).expanduser().absolute())
    path = Path(source)
    kind = kind_of(source, lambda name: Path(name).exists())
    if kind in ("url", "archive"):
        wanted = checksum_of(checksum, needed=kind == "url")
    if kind == "archive":
        _check_archive(path)
        if wanted and wanted != (found := files.file_digest(path)):
            raise DeploymentError(
                f"mission_control_source_checksum: {source} has sha256:{found}, not sha256:{wanted}.",
                kind="checksum_differs",
                remedy="Find out why the archive differs before you set its new checksum.",
            )
    elif kind == "directory":
        if not os.access(path, os.R_OK | os.X_OK):
            raise DeploymentError(f"mission_control_source: {source} cannot be read.", kind="no_source")
        refuse_missing(missing_files(lambda name: (path / name).is_file()), source)
    return source, kind


def _check_archive(path: Path) -> None:
    """Refuse an archive without the lock files before it is uploaded."""
    try:
        if not tarfile.is_tarfile(path) and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zipped:
                names = zipped.namelist()
        else:
            with tarfile.open(path, mode="r:*") as file:
                names = [member.name for member in file]
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise DeploymentError(
            f"mission_control_source: {path} cannot be read as an archive: {error}.",
            kind="bad_archive",
            remedy=f"See that it is complete and one of {ENDINGS}.",
        ) from None
    plain = {name.removeprefix("./") for name in names}
    stripped = {name.partition("/")[2] for name in plain}
    found = plain if any(name.startswith("backend/") for name in plain) else stripped
    refuse_missing(missing_files(found.__contains__), str(path))


def controller_revision(source: str, kind: str) -> tuple[str, str]:
    """Revision and description of a directory or archive on the controller."""
    path = Path(source)
    return (files.file_digest(path) if kind == "archive" else trees.fingerprint(path)), path.name
