# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Root file systems of hosts: the base, the layers of snapshots, and on top the host's own.

With overlayfs nothing is copied: lower is the base and the snapshots' layers, upper is the host's own. Where
overlayfs does not work for the state directory, a host gets a full copy instead.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from .common import Run, SandboxError, command, mounts, read_json, remove_tree, write_json

# What must not be carried from a host to one that starts from its snapshot.
IDENTITY = (
    "etc/machine-id",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
    "etc/ssh/ssh_host_*_key*",
)


def overlay_works(run: Run) -> bool:
    """Whether the state directory can hold an overlay's upper layer; tried, not guessed."""
    if any(character in str(path) for path in (run.state, run.cache) for character in ":,\\"):
        return False  # would need quoting that differs between versions of mount
    probe = run.state / f".probe-{uuid.uuid4().hex[:8]}"
    try:
        for name in ("lower", "upper", "work", "merged"):
            (probe / name).mkdir(parents=True)
        try:
            mount_overlay(probe / "merged", [probe / "lower"], probe / "upper", probe / "work")
        except SandboxError:
            return False
        return True
    finally:
        discard_probe(probe)


def discard_probe(probe: Path) -> None:
    unmount(probe / "merged")
    remove_tree(probe)


def discard_probes(run: Run) -> None:
    """Remove what a command that was killed while it probed has left."""
    for probe in run.state.glob(".probe-*"):
        discard_probe(probe)


def mount_overlay(target: Path, lower: Iterable[Path], upper: Path, work: Path) -> None:
    options = f"lowerdir={':'.join(str(path) for path in lower)},upperdir={upper},workdir={work}"
    command(["mount", "-t", "overlay", "-o", options, "mission-control-sandbox", target])


def unmount(target: Path) -> None:
    """Unmount, waiting a moment for a dying container's last references."""
    deadline = time.monotonic() + 5
    while target in mounts():
        lazily = [] if time.monotonic() < deadline else ["--lazy"]
        if command(["umount", *lazily, target], check=False).returncode != 0:
            time.sleep(0.1)


class Root:
    """The root file system of one host. layers: what it starts from, the topmost first."""

    def __init__(self, directory: Path, mode: str, layers: list[Path]) -> None:
        self.directory = directory
        self.mode = mode
        self.layers = layers

    @property
    def path(self) -> Path:
        return self.directory / "root"

    @property
    def upper(self) -> Path:
        return self.directory / "upper"

    @property
    def own(self) -> Path:
        """Where the host's own files are on disk, also while it is not mounted."""
        return self.upper if self.mode == "overlay" else self.path

    def build(self) -> None:
        """Start afresh from the layers."""
        self.unmount()
        for path in (self.path, self.upper, self.directory / "work"):
            if path.exists():
                remove_tree(path)
        if self.mode != "overlay":
            copy_tree(self.layers[0], self.path)

    def mount(self) -> None:
        if self.mode != "overlay" or self.path in mounts():
            return
        work = self.directory / "work"
        for path in (self.path, self.upper, work):
            path.mkdir(parents=True, exist_ok=True)
        for layer in self.layers:
            if not layer.is_dir():
                raise SandboxError(f"{layer}, which {self.directory.name} starts from, is gone: destroy it.")
        mount_overlay(self.path, self.layers, self.upper, work)

    def unmount(self) -> None:
        unmount(self.path)

    def keep_as_layer(self, layer: Path) -> None:
        """Make the host's own files a layer that it and others start from; the host must be stopped."""
        self.unmount()
        layer.parent.mkdir(parents=True, exist_ok=True)
        if self.mode == "overlay":
            self.upper.rename(layer)
        else:
            copy_tree(self.path, layer)


def copy_tree(source: Path, target: Path) -> None:
    """A copy that appears complete or not at all; without cost where the file system shares blocks."""
    partial = target.with_name(f".{target.name}.partial-{uuid.uuid4().hex[:8]}")
    try:
        command(["cp", "-a", "--reflink=auto", "--", source, partial], timeout=900)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(target)


def forget_identity(root: Path) -> None:
    """Remove what made the snapshot's host the one it was."""
    for pattern in IDENTITY:
        for path in root.glob(pattern):
            path.unlink()
    for journal in root.glob("var/log/journal/*"):
        shutil.rmtree(journal)


# --- snapshots: names for a stack of layers ---


@dataclass(frozen=True)
class Snapshot:
    layers: list[str]
    mode: str
    host: str
    time: int
    # By which its host was reached.
    index: int = 0


def save_snapshot(run: Run, name: str, root: Root, host: str, index: int = 0) -> None:
    record = Snapshot([str(layer) for layer in root.layers], root.mode, host, int(time.time()), index)
    write_json(run.snapshots / f"{name}.json", asdict(record))


def load_snapshot(run: Run, name: str) -> Snapshot:
    record = read_json(run.snapshots / f"{name}.json")
    if record is None:
        known = ", ".join(snapshot_names(run)) or "none"
        raise SandboxError(f"There is no snapshot {name!r} (snapshots of this run: {known}).")
    return Snapshot(**record)


def snapshot_names(run: Run) -> list[str]:
    return sorted(path.stem for path in run.snapshots.glob("*.json"))


def snapshot_indexes(run: Run) -> list[int]:
    """Numbers that nobody else gets: what starts from a snapshot may go on using the address in it."""
    return [load_snapshot(run, name).index for name in snapshot_names(run)]


def drop_unused_layers(run: Run, used_by_hosts: Iterable[str]) -> None:
    """Remove layers that no snapshot and no host starts from; call with the run's lock held."""
    used = set(used_by_hosts)
    for name in snapshot_names(run):
        used.update(load_snapshot(run, name).layers)
    for layer in run.layers.glob("*"):
        if str(layer) not in used:
            remove_tree(layer)


# --- download caches ---


def shared_caches(run: Run) -> dict[Path, str]:
    """Directories every host writes downloads to, each with its place inside."""
    caches = {run.cache / name: f"/var/cache/mission-control/{name}" for name in ("uv", "npm")}
    for path in caches:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o1777)
    # npm's cache can be open to every user. uv's cannot: uv copies modes from its cache into environments.
    with contextlib.suppress(OSError):  # the file system has no access lists
        os.setxattr(run.cache / "npm", "system.posix_acl_default", open_to_all())
    return caches


def open_to_all() -> bytes:
    """A default access list, inherited by everything made below: users differ, the cache is shared."""
    version, undefined, full = 2, 0xFFFFFFFF, 7
    owner, group, mask, other = 0x01, 0x04, 0x10, 0x20
    entries = [struct.pack("<HHI", tag, full, undefined) for tag in (owner, group, mask, other)]
    return struct.pack("<I", version) + b"".join(entries)


def bring_packages(run: Run, own: Path) -> None:
    """Put downloaded Debian packages into a new host's own files.

    They are linked, not bind-mounted: apt locks its directory of packages for as long as it installs, so two
    hosts sharing one directory would make each other fail.
    """
    target = own / "var/cache/apt/archives"
    target.mkdir(parents=True, exist_ok=True)
    for package in (run.cache / "apt").glob("*.deb"):
        place = target / package.name
        if not place.exists():
            link_or_copy(package, place)


def collect_packages(run: Run, own: Path) -> None:
    """Keep the Debian packages a host downloaded for the hosts that come after it."""
    cache = run.cache / "apt"
    cache.mkdir(parents=True, exist_ok=True)
    for package in (own / "var/cache/apt/archives").glob("*.deb"):
        if not (cache / package.name).exists():
            with contextlib.suppress(OSError):  # only a cache
                link_or_copy(package, cache / package.name)


def link_or_copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        os.link(source, partial)
    except OSError:
        shutil.copy2(source, partial)
    partial.rename(target)
