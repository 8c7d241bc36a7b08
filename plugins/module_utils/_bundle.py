# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle: all that a deployment would download, in one archive for hosts that reach no registry.

The archive holds manifest.json, then the parts. A part's name says what it was made from, and the manifest
has its SHA-256, so that a host is sent only what it lacks. On a host the parts lie in a directory of root's:

  parts/source-<revision>.tar.gz        the source
  parts/backend-<environment>.tar.gz    uv's cache with exactly the packages of that environment
  parts/frontend-<fingerprint>.tar.gz   a finished build
  parts/openclaw-<version>.tar.gz       the npm tree of a gateway
  parts/wheels.tar, wheels/             uv and Node.js, for pip and uv
  parts/packages.tar, packages/         Debian packages with everything that they need, as an apt repository
  apt.conf, lists/                      what makes apt look there and nowhere else
  installed.json                        which bundle's parts are there; written last
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ._application.digests import digest
from ._host import files, locks, trees
from ._host.deployment_errors import DeploymentError
from ._host.logged_commands import NO_LOG, Commands
from ._plain_json import parse_json

FORMAT = 1
MANIFEST = "manifest.json"
VARIABLE = "mission_control_bundle"
REMAKE = "Make the bundle anew with this inventory (playbooks/bundle.yml)."
# Which components use a part.
USERS: Mapping[str, frozenset[str]] = {
    "packages": frozenset({"postgresql", "redis", "backend", "worker", "frontend", "gateway", "proxy"}),
    "wheels": frozenset({"backend", "worker", "frontend", "gateway"}),
    "source": frozenset({"backend", "worker", "frontend"}),
    "backend": frozenset({"backend", "worker"}),
    "frontend": frozenset({"frontend"}),
    "openclaw": frozenset({"gateway"}),
}
# Kept unpacked too, because apt, pip and uv look into directories.
UNPACKED = ("packages", "wheels")


def part_name(kind: str, key: str = "") -> str:
    """The file of a part. Debian packages and wheels are compressed already."""
    return f"{kind}.tar" if kind in UNPACKED else f"{kind}-{key}.tar.gz"


def gateway_key(version: str, plugins: Sequence[str]) -> str:
    """Names a tree by what is in it."""
    return f"{version}-{digest(sorted(plugins), 8)}"


# --- the archive -----------------------------------------------------------------------------------


def read_manifest(path: Path) -> dict[str, Any]:
    """What the bundle says of itself."""
    try:
        with tarfile.open(path, mode="r:") as archive:
            member = archive.next()
            file = archive.extractfile(member) if member and member.name == MANIFEST else None
            record = parse_json(file.read()) if file else None
    except FileNotFoundError:
        raise DeploymentError(
            f"{VARIABLE}: {path} does not exist on the controller.",
            kind="no_bundle",
            remedy="Name the file that playbooks/bundle.yml made.",
        ) from None
    except (OSError, ValueError, tarfile.TarError) as error:
        raise DeploymentError(
            f"{VARIABLE}: {path} cannot be read: {error}.", kind="bad_bundle", remedy="Copy it again."
        ) from None
    if not isinstance(record, dict) or not isinstance(record.get("parts"), dict):
        raise DeploymentError(
            f"{VARIABLE}: {path} is not a bundle.",
            kind="bad_bundle",
            remedy="Name the file that playbooks/bundle.yml made.",
        )
    if record.get("format") != FORMAT:
        raise DeploymentError(
            f"{VARIABLE}: {path} has the format {record.get('format')}, and this collection reads {FORMAT}.",
            kind="bad_bundle",
            remedy="Make and use it with the same version of the collection.",
        )
    return record


def wanted_parts(manifest: Mapping[str, Any], components: Iterable[str]) -> dict[str, str]:
    """The parts that a host with these components uses, with their SHA-256."""
    here = set(components)
    return {
        name: str(part["sha256"])
        for name, part in sorted(manifest["parts"].items())
        if USERS[part["kind"]] & here
    }


def installed_text(manifest: Mapping[str, Any], components: Iterable[str]) -> str:
    """installed.json of such a host: a deployment compares its digest and needs no call of its own."""
    return _installed(wanted_parts(manifest, components))


def _installed(wanted: Mapping[str, str]) -> str:
    record = {"format": FORMAT, "parts": dict(wanted)}
    return json.dumps(record, sort_keys=True, separators=(",", ":")) + "\n"


def installed_digest(path: Path, components: Iterable[str]) -> str:
    """The SHA-256 of installed.json on a host that has the bundle's parts for these components."""
    return hashlib.sha256(installed_text(read_manifest(path), components).encode()).hexdigest()


def compose(target: Path, manifest: Mapping[str, Any], directory: Path) -> None:
    """Write the archive in one step, from the parts in a directory."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        with tarfile.open(partial, mode="w", format=tarfile.PAX_FORMAT) as archive:
            manifest_file = directory / MANIFEST
            files.write_atomically(manifest_file, json.dumps(manifest, indent=1) + "\n")
            for name in (MANIFEST, *sorted(manifest["parts"])):
                member = archive.gettarinfo(directory / name, arcname=name)
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                member.mode = 0o644
                with (directory / name).open("rb") as file:
                    archive.addfile(member, file)
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def select(bundle: Path, names: Sequence[str], target: Path) -> None:
    """An archive of some of the parts, for a host that lacks just these."""
    wanted = set(names)
    try:
        with (
            tarfile.open(bundle, mode="r:") as archive,
            tarfile.open(target, mode="w", format=tarfile.PAX_FORMAT) as out,
        ):
            for member in archive:
                if member.name in wanted:
                    out.addfile(member, archive.extractfile(member))
                    wanted.discard(member.name)
    except tarfile.TarError as error:
        raise DeploymentError(
            f"{VARIABLE}: {bundle} is not whole: {error}.", kind="bad_bundle", remedy="Copy it again."
        ) from None
    if wanted:
        raise DeploymentError(
            f"{VARIABLE}: {bundle} lacks its part {min(wanted)}.", kind="bad_bundle", remedy="Copy it again."
        )


def pack_directory(source: Path, target: Path, patterns: Sequence[str] = ()) -> None:
    """A tree as a part: compressed, or plain where its files are compressed already."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        trees.pack(source, partial, patterns, level=6 if target.suffix == ".gz" else 0)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def describe_part(path: Path, kind: str) -> dict[str, Any]:
    return {"kind": kind, "sha256": files.file_digest(path), "size": path.stat().st_size}


# --- on the host -----------------------------------------------------------------------------------


def missing_parts(directory: Path, wanted: Mapping[str, str]) -> list[str]:
    """Parts that are not there, or not as they should be."""
    missing = []
    for name, expected in wanted.items():
        try:
            if files.file_digest(directory / "parts" / name) != expected:
                missing.append(name)
        except OSError:
            missing.append(name)
    return missing


def complete(directory: Path, wanted: Mapping[str, str]) -> bool:
    """Whether the last installation came to its end with just these parts."""
    try:
        return (directory / "installed.json").read_text(encoding="utf-8") == _installed(wanted)
    except OSError:
        return False


def install(
    directory: Path,
    wanted: Mapping[str, str],
    missing: Sequence[str],
    archive: Path | None,
    commands: Commands,
) -> list[str]:
    """Have the wanted parts and no others; what arrives is checked before anything uses it."""
    parts = directory / "parts"
    parts.mkdir(mode=0o755, parents=True, exist_ok=True)
    (directory / "installed.json").unlink(missing_ok=True)
    if missing:
        if archive is None:
            raise DeploymentError(f"The parts {', '.join(missing)} did not come along.", kind="bad_bundle")
        _take(archive, parts, {name: wanted[name] for name in missing})
    removed = [path.name for path in sorted(parts.iterdir()) if path.name not in wanted]
    for name in removed:
        files.remove(parts / name)
    for kind in UNPACKED:
        name = part_name(kind)
        if name not in wanted:
            files.remove(directory / kind)
        elif name in missing or not (directory / kind).is_dir():
            _replace(parts / name, directory / kind)
    if part_name("packages") in wanted:
        _offer_packages(directory, commands)
    files.write_atomically(directory / "installed.json", _installed(wanted))
    return removed


def _take(archive: Path, parts: Path, wanted: Mapping[str, str]) -> None:
    """Bring parts out of the archive that was uploaded, each checked before it gets its name."""
    left = dict(wanted)
    with tarfile.open(archive, mode="r:") as file:
        for member in file:
            expected = left.pop(member.name, None)
            content = file.extractfile(member) if expected else None
            if content is None:
                continue
            partial = parts / f".{member.name}.partial"
            found = hashlib.sha256()
            with partial.open("wb") as out:
                while block := content.read(1 << 20):
                    found.update(block)
                    out.write(block)
            if found.hexdigest() != expected:
                partial.unlink()
                raise DeploymentError(
                    f"{VARIABLE}: its part {member.name} is damaged: it has sha256:{found.hexdigest()}, "
                    f"and its manifest says sha256:{expected}.",
                    kind="damaged",
                    remedy="Copy the bundle again and compare its SHA-256. Nothing was deployed.",
                )
            partial.chmod(0o644)
            partial.replace(parts / member.name)
    if left:
        raise DeploymentError(
            f"{VARIABLE}: its part {min(left)} did not arrive.",
            kind="damaged",
            remedy="Copy the bundle again.",
        )


def _replace(archive: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    files.remove(partial)
    unpack(archive, partial)
    files.remove(target)
    partial.rename(target)


def unpack(part: Path, target: Path) -> None:
    """Unpack a part into a new or empty directory."""
    target.mkdir(mode=0o755, parents=True, exist_ok=True)
    with part.open("rb") as file:
        trees.unpack(file, part.name, target)


def apt_configuration(directory: Path) -> str:
    """apt's settings: this repository and no other, lists of its own."""
    return (
        "// Written by the Ansible collection openclaw.mission_control: the bundle's packages, no others.\n"
        f'Dir::Etc::sourcelist "{directory}/sources.list";\n'
        'Dir::Etc::sourceparts "/dev/null";\n'
        f'Dir::State::lists "{directory}/lists";\n'
        'Dir::Cache::pkgcache "";\n'
        'Dir::Cache::srcpkgcache "";\n'
        'Acquire::Languages "none";\n'
    )


def _offer_packages(directory: Path, commands: Commands) -> None:
    """Let apt know the packages. Trusted: what they are was checked with the part."""
    files.write_atomically(directory / "sources.list", f"deb [trusted=yes] file:{directory}/packages ./\n")
    files.write_atomically(directory / "apt.conf", apt_configuration(directory))
    files.remove(directory / "lists")
    (directory / "lists" / "partial").mkdir(mode=0o755, parents=True)
    commands(
        ["apt-get", "-q", "update"],
        what="Reading the bundle's list of packages",
        environment={"APT_CONFIG": str(directory / "apt.conf")},
        timeout=120,
    )


# --- what the steps of a deployment take from it ---------------------------------------------------


def part(directory: Path, kind: str, key: str) -> Path:
    """A part by what it was made from."""
    path = directory / "parts" / part_name(kind, key)
    if not path.is_file():
        raise DeploymentError(
            f"{VARIABLE}: the bundle on this host has no {path.name}, which these settings need.",
            kind="no_part",
            remedy=REMAKE,
        )
    return path


@contextlib.contextmanager
def uv_cache(directory: Path | None, shared: Path, environment: str) -> Iterator[dict[str, str]]:
    """uv's cache for a while, with the packages of the environment that is to be made, if any."""
    if directory is None:
        yield {}
        return
    cache = shared / ".bundle-uv"
    files.remove(cache)
    try:
        if environment:
            unpack(part(directory, "backend", environment), cache)
        yield {"UV_CACHE_DIR": str(cache)}
    finally:
        files.remove(cache)


# --- on the host -----------------------------------------------------------------------------------


def lock_of(directory: Path) -> Path:
    """The lock of a bundle's directory, beside it."""
    return directory.with_name(f".{directory.name}.lock")


def present(parameters: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """What the module bundle does on the host: bring what is missing. `parameters` are its options."""
    directory, wanted = Path(parameters["directory"]), parameters["parts"]
    missing = missing_parts(directory, wanted)
    answer = {"changed": True, "missing": missing, "removed": []}
    if not missing and complete(directory, wanted):
        return {**answer, "changed": False}
    # The controller sends what is missing and calls again.
    if check_mode or (missing and not parameters["archive"]):
        return answer
    os.umask(0o022)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    commands = Commands(NO_LOG, environment)
    archive = Path(parameters["archive"]) if parameters["archive"] else None
    # Beside the deployment's own lock, which is the application user's: this happens before there is one.
    with locks.deployment_lock(lock_of(directory), purpose="bringing a bundle", timeout=900):
        return {**answer, "removed": install(directory, wanted, missing, archive, commands)}


def absent(parameters: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Remove what was brought."""
    directory = Path(parameters["directory"])
    there = directory.is_dir()
    if there and not check_mode:
        files.remove(directory)
        files.remove(lock_of(directory))
    return {"changed": there, "removed": [str(directory)] if there else []}
