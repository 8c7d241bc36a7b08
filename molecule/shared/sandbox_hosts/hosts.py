# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Create, boot, stop, snapshot and destroy hosts."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from . import base, guest, network, requirements, storage, supervisor
from .common import (
    RUNTIME,
    NoHostsError,
    Run,
    SandboxError,
    check_name,
    command,
    patience,
    read_json,
    remove_tree,
    say,
    write,
    write_json,
)

# What a slow machine on which several hosts are busy needs; usual are two seconds each.
BOOT_DEADLINE = 120.0
STOP_DEADLINE = 90.0


class BootDeadlineError(SandboxError):
    """A host's container runs, and the system in it is not up."""


@dataclass(frozen=True)
class Platform:
    """What is asked for."""

    name: str
    snapshot: str | None = None
    isolated: bool = False


@dataclass
class Host:
    """What is kept of a host in its host.json."""

    name: str
    index: int
    mode: str  # overlay or copy
    layers: list[str]  # what its root starts from, the topmost first
    snapshot: str | None = None
    isolated: bool = False
    public_key: str = ""  # empty until the root file system is complete
    pending: str = ""  # a layer that a snapshot is making, or was making when it was interrupted


class Sandbox:
    """All hosts of one run."""

    def __init__(self, run: Run, cli: Path, environment: Mapping[str, str]) -> None:
        self.run = run
        self.cli = cli
        self.environment = environment

    # --- what there is ---

    def names(self) -> list[str]:
        return sorted(path.parent.name for path in self.run.hosts.glob("*/host.json"))

    def load(self, name: str) -> Host:
        host = self.find(name)
        if host is None:
            known = ", ".join(self.names()) or "none"
            raise SandboxError(f"There is no host {name!r} (hosts of this run: {known}).")
        return host

    def find(self, name: str) -> Host | None:
        record = read_json(self.directory(name) / "host.json")
        if record is None:
            return None
        # Another version of this tool may have kept more of a host.
        return Host(**{key: value for key, value in record.items() if key in Host.__dataclass_fields__})

    def hosts(self) -> list[Host]:
        found = [self.find(name) for name in self.names()]
        return [host for host in found if host is not None]  # the others were destroyed meanwhile

    def save(self, host: Host) -> None:
        write_json(self.directory(host.name) / "host.json", asdict(host))

    def directory(self, name: str) -> Path:
        return self.run.hosts / name

    def root(self, host: Host) -> storage.Root:
        return storage.Root(self.directory(host.name), host.mode, [Path(layer) for layer in host.layers])

    def network(self) -> network.Network:
        found = network.load(self.run)
        if found is None:
            raise NoHostsError("This run has no hosts yet; create one first.")
        return found

    def group(self, host: Host) -> Path:
        mounted = requirements.control_group_root()
        if mounted is None:
            raise SandboxError("No control group version 2 hierarchy is mounted.")
        return mounted / f"{network.BRIDGE_PREFIX}{self.network().machine(host.index)}"

    def supervisor_lock(self, name: str) -> Path:
        return self.directory(name) / "supervisor"

    def running(self, name: str) -> bool:
        return supervisor.running(self.supervisor_lock(name)) is not None

    # --- create and boot ---

    def create(self, platforms: Sequence[Platform]) -> None:
        """Make and boot hosts, all at once; one that runs already is left as it is."""
        for platform in platforms:
            check_name(platform.name, "host name")
        wanted = {platform.snapshot for platform in platforms}
        if None in wanted:
            base.ensure_base(self.run, base.find_recipe(self.environment))  # takes long where it is not there
        with self.run.lock():
            # With the lock: nobody who destroys his last host takes away what is looked at here.
            origins = {snapshot: self.origin(snapshot) for snapshot in wanted}
            guest.ensure_key(self.run)
            for platform in platforms:
                self.register(platform, origins[platform.snapshot])
        self.each([platform.name for platform in platforms], self.bring_up)

    def origin(self, snapshot: str | None) -> tuple[list[str], str]:
        """Layers to start from, and whether to overlay or to copy them."""
        if snapshot is None:
            return [str(base.ensure_base(self.run, base.find_recipe(self.environment)))], self.mode()
        record = storage.load_snapshot(self.run, snapshot)
        return record.layers, record.mode

    def mode(self) -> str:
        if self.environment.get("SANDBOX_COPY"):
            return "copy"
        if storage.overlay_works(self.run):
            return "overlay"
        say(f"overlayfs does not work in {self.run.state}: every host gets a full copy instead")
        return "copy"

    def register(self, platform: Platform, origin: tuple[list[str], str]) -> None:
        """Note a new host, or see that the one of this name is what is asked for; the run's lock is held."""
        name = platform.name
        if name in self.names():
            host = self.load(name)
            if platform.snapshot not in (None, host.snapshot):
                was = host.snapshot or "the base"
                raise SandboxError(f"Host {name} exists, started from {was}: destroy it first.")
            if platform.isolated and not host.isolated:
                raise SandboxError(f"Host {name} exists and is not isolated: destroy it first.")
            return
        taken = [host.index for host in self.hosts()]
        index = network.choose_index([*taken, *storage.snapshot_indexes(self.run)])
        layers, mode = origin
        self.save(Host(name, index, mode, layers, platform.snapshot, platform.isolated))

    def each(self, names: Iterable[str], action: Callable[[str], None]) -> None:
        """Do something with several hosts at once; every failure is told."""
        unique = list(dict.fromkeys(names))
        failures: list[str] = []
        with ThreadPoolExecutor(max_workers=max(1, len(unique))) as pool:
            for name, future in [(name, pool.submit(action, name)) for name in unique]:
                try:
                    future.result()
                except SandboxError as error:
                    failures.append(str(error) if name in str(error) else f"{name}: {error}")
        if failures:
            raise SandboxError("\n".join(failures))

    def bring_up(self, name: str) -> None:
        """Complete a host's root if need be and boot it; nothing to do for a running one."""
        started = time.monotonic()
        with self.run.lock(f"host-{name}"):
            host = self.load(name)
            if host.public_key and self.running(name) and self.wait(host):
                say(f"{name} is running")
                return
            with self.run.lock("network"):
                net = network.ensure(self.run)
                isolated = [net.address(other.index) for other in self.hosts() if other.isolated]
                network.fill_chain(net, isolated)
            self.end_processes(host)
            self.settle(host)
            root = self.root(host)
            if not host.public_key:
                root.build()
                # A test that an isolated host needs no downloads must not be helped by those of others.
                if not host.isolated:
                    storage.bring_packages(self.run, root.own)
                root.mount()
                if host.snapshot:
                    storage.forget_identity(root.path)
                host.public_key = guest.make_identity(self.run, root.path, name)
                self.save(host)
            root.mount()
            guest.connect(root.path, net, host.index, host.isolated)
            self.publish_names()
            storage.shared_caches(self.run)
            try:
                self.boot(host)
            except BootDeadlineError as error:
                # Seen once in hundreds of boots, on a busy machine; what a host starts from is as it was.
                say(f"{error}\n{name} is booted once more")
                self.end_processes(host)
                self.boot(host)
        say(f"{name} ({net.address(host.index)}) is up after {time.monotonic() - started:.1f} s")

    def boot(self, host: Host) -> None:
        lock, console = self.supervisor_lock(host.name), self.console(host.name)
        console.unlink(missing_ok=True)
        supervisor.start(self.cli, host.name, lock, console, self.run_environment())
        if not self.wait(host):
            raise SandboxError(self.failure(host, "did not come up: its container ended"))

    def run_environment(self) -> dict[str, str]:
        return {
            "SANDBOX_RUN": self.run.label,
            "SANDBOX_STATE": str(self.run.state.parent),
            "SANDBOX_CACHE": str(self.run.cache),
        }

    def console(self, name: str) -> Path:
        return self.directory(name) / "console.log"

    def supervise(self, name: str) -> int:
        """The supervisor process of a host (started by bring_up)."""
        host, net = self.load(name), self.network()
        caches = {} if host.isolated else storage.shared_caches(self.run)
        binds = [f"--bind={outer}:{inner}" for outer, inner in caches.items()]
        os.environ["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1"
        arguments = [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            f"--machine={net.machine(host.index)}",
            f"--hostname={name}",
            f"--directory={self.root(host).path}",
            "--register=no",
            "--keep-unit",
            f"--network-bridge={net.bridge}",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            "--console=read-only",
            *binds,
        ]
        return supervisor.supervise(arguments, self.supervisor_lock(name), self.group(host))

    def wait(self, host: Host) -> bool:
        """Until the system inside says over SSH that it is up; False where its container ended instead."""
        deadline = time.monotonic() + BOOT_DEADLINE * patience()
        problem = "no answer"
        while time.monotonic() < deadline:
            if not self.running(host.name):
                return False
            # Also the time in which sshd has to say its name: on a busy machine two seconds were too few.
            options = ["-o", "ConnectTimeout=10", "-o", "ConnectionAttempts=1"]
            try:
                done = subprocess.run(
                    [*self.ssh(host, options), "systemctl is-system-running --wait"],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=max(1.0, deadline - time.monotonic()),
                    check=False,
                )
            except subprocess.TimeoutExpired:
                problem = "still starting"
                break
            answer = done.stdout.strip()
            if answer == "running":
                return True
            if answer == "degraded":
                failed = command([*self.ssh(host), "systemctl --failed --plain --no-legend"], check=False)
                units = " ".join(line.split()[0] for line in failed.stdout.splitlines() if line)
                say(f"{host.name}: failed units: {units}")
                return True
            problem = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else answer or problem
            time.sleep(0.1)
        told = self.failure(host, f"did not come up within {BOOT_DEADLINE:.0f} s ({problem})")
        raise BootDeadlineError(told)

    def failure(self, host: Host, problem: str) -> str:
        """What is wrong with a host, with the end of what it wrote to its console."""
        console = self.console(host.name)
        text = console.read_text(errors="replace") if console.exists() else ""
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)
        tail = [f"  {line}" for line in plain.splitlines() if line.strip()][-15:]
        return "\n".join([f"Host {host.name} {problem}; the end of {console}:", *tail])

    def publish_names(self) -> None:
        """Let every host of the run find the others by name."""
        with self.run.lock("names"):
            net = self.network()
            hosts = [host for host in self.hosts() if host.public_key]
            addresses = {host.name: net.address(host.index) for host in hosts}
            lines = [f"{net.address(host.index)} {host.public_key}\n" for host in hosts]
            write(self.run.known_hosts, "".join(lines), 0o600)
            for host in hosts:
                path = self.root(host).path / "etc/hosts"
                if path.parent.is_dir():  # else not mounted: written when it boots
                    existing = path.read_text() if path.exists() else ""
                    text = guest.name_hosts(existing, net.gateway, addresses, host.name)
                    if text != existing:
                        write(path, text)

    # --- reach ---

    def ssh_options(self) -> list[str]:
        """Options that keep this run's connections apart from the user's own SSH configuration."""
        return [
            *("-F", "/dev/null"),
            *("-o", f'UserKnownHostsFile="{self.run.known_hosts}"'),
            *("-o", "GlobalKnownHostsFile=/dev/null"),
            *("-o", "StrictHostKeyChecking=yes"),
            *("-o", "IdentitiesOnly=yes"),
            *("-o", "PreferredAuthentications=publickey"),
            *("-o", "LogLevel=ERROR"),
        ]

    def persist_options(self) -> list[str]:
        """Options that keep a connection for the next task; its socket is named by user and address."""
        self.run.runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [
            *("-o", "ControlMaster=auto"),
            *("-o", "ControlPersist=60s"),
            *("-o", f"ControlPath={self.run.runtime}/%r@%h"),
        ]

    def ssh(self, host: Host, options: Sequence[str] = ()) -> list[str]:
        address = self.network().address(host.index)
        # A connection kept from before a reboot would hang: the tool's own ones are not shared.
        return ["ssh", *options, *self.ssh_options(), "-i", str(self.run.key), f"root@{address}"]

    # --- stop and destroy ---

    def start(self, names: Sequence[str]) -> None:
        for name in names:
            self.load(name)
        self.each(names, self.bring_up)

    def stop(self, names: Sequence[str]) -> None:
        for name in names:
            self.load(name)
        self.each(names, self.shut_down)

    def shut_down(self, name: str) -> None:
        with self.run.lock(f"host-{name}"):
            host = self.load(name)
            self.stop_cleanly(host)
            self.root(host).unmount()
        say(f"{name} is stopped")

    def stop_cleanly(self, host: Host) -> None:
        """As if powered off with systemctl."""
        process = supervisor.running(self.supervisor_lock(host.name))
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
            deadline = time.monotonic() + STOP_DEADLINE * patience()
            while self.running(host.name):
                if time.monotonic() > deadline:
                    say(
                        f"{host.name} did not shut down within {STOP_DEADLINE:.0f} s: its processes are ended"
                    )
                    break
                time.sleep(0.05)
        self.end_processes(host)

    def end_processes(self, host: Host) -> None:
        """End what is left of a host's container at once, and its interface with it."""
        process = supervisor.running(self.supervisor_lock(host.name))
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        net = network.load(self.run)
        if net is None:
            return
        supervisor.kill_group(self.group(host))
        command(["ip", "link", "del", net.interface(host.index)], check=False)
        for left in ("propagate", "unix-export"):
            with contextlib.suppress(OSError):
                (Path("/run/systemd/nspawn") / left / net.machine(host.index)).rmdir()
        self.forget_connections(host)

    def forget_connections(self, host: Host) -> None:
        """Close the kept SSH connection to a host that is going away."""
        # The next host may get the same address at once.
        for socket in self.run.runtime.glob(f"*@{self.network().address(host.index)}"):
            command(
                ["ssh", "-F", "/dev/null", "-o", f"ControlPath={socket}", "-O", "exit", host.name],
                check=False,
            )

    def destroy(self, names: Sequence[str]) -> None:
        """Remove hosts; with the last one goes its network, with the last snapshot the rest of the run."""
        with self.run.lock():
            self.each(names, self.remove)
            self.clean_up()

    def clean_up(self) -> None:
        """Remove what nothing needs any more; the run's lock is held."""
        self.drop_layers()
        if self.names():
            return
        network.remove(self.run)
        shutil.rmtree(self.run.runtime, ignore_errors=True)
        if storage.snapshot_names(self.run):
            return
        storage.discard_probes(self.run)
        remove_tree(self.run.state)
        for directory in (self.run.state.parent, RUNTIME):
            with contextlib.suppress(OSError):
                directory.rmdir()  # if this was the last run

    def remove(self, name: str) -> None:
        with self.run.lock(f"host-{name}"):
            directory = self.directory(name)
            host = self.find(name)
            if host is not None:
                self.end_processes(host)
                self.disown(host)
                root = self.root(host)
                root.unmount()
                storage.collect_packages(self.run, root.own)
            if directory.exists():
                remove_tree(directory)
                say(f"{name} is destroyed")
            else:
                say(f"there is no host {name}")
        # Whoever destroys the last host meanwhile takes the network down, and nobody is left to be told.
        with contextlib.suppress(NoHostsError):
            if self.names():
                self.publish_names()

    def destroy_all(self) -> None:
        """Everything of this run: hosts, snapshots, network, key."""
        if not self.run.state.exists():
            return
        with self.run.lock():
            self.each([path.name for path in self.run.hosts.glob("*")], self.remove)
            for snapshot in storage.snapshot_names(self.run):
                (self.run.snapshots / f"{snapshot}.json").unlink()
            self.clean_up()

    # --- snapshots ---

    def snapshot(self, name: str, snapshot: str, replace: bool = False) -> None:
        """Keep a host's root file system as what others start from; the host itself goes on from there."""
        check_name(snapshot, "snapshot name")
        if snapshot in storage.snapshot_names(self.run) and not replace:
            raise SandboxError(f"Snapshot {snapshot!r} exists already; give --replace to replace it.")
        with self.run.lock(f"host-{name}"):
            host = self.load(name)
            was_running = self.running(name)
            self.stop_cleanly(host)
            with self.run.lock("layers"):
                self.settle(host)
                root = self.root(host)
                storage.collect_packages(self.run, root.own)
                host.pending = str(self.run.layers / f"{snapshot}-{time.time_ns():x}")
                self.save(host)
                root.keep_as_layer(Path(host.pending))
                self.settle(host)
                storage.save_snapshot(self.run, snapshot, self.root(host), name, host.index)
        say(f"snapshot {snapshot} of {name} is kept")
        if was_running:
            self.bring_up(name)
        with self.run.lock():
            self.drop_layers()

    def reset(self, names: Sequence[str]) -> None:
        for name in names:
            self.load(name)
        self.each(names, self.take_back)

    def take_back(self, name: str) -> None:
        """Forget what happened on a host since it was made or last kept as a snapshot, and boot it."""
        with self.run.lock(f"host-{name}"):
            host = self.load(name)
            self.end_processes(host)
            self.settle(host)
            self.disown(host)
        self.bring_up(name)

    def disown(self, host: Host) -> None:
        """Have a host's root built anew at the next boot; nobody writes names into it until then."""
        with self.run.lock("names"):
            host.public_key = ""
            self.save(host)

    def settle(self, host: Host) -> None:
        """Note the layer that a host's files have become, also where a snapshot was interrupted."""
        if host.pending:
            if Path(host.pending).is_dir():
                host.layers = [host.pending, *(host.layers if host.mode == "overlay" else [])]
            host.pending = ""
            self.save(host)

    def forget(self, snapshots: Sequence[str]) -> None:
        for snapshot in snapshots:
            storage.load_snapshot(self.run, snapshot)
        for snapshot in snapshots:
            (self.run.snapshots / f"{snapshot}.json").unlink(missing_ok=True)
        with self.run.lock():
            self.clean_up()

    def drop_layers(self) -> None:
        """Remove layers nothing starts from any more; the run's lock is held."""
        used = [layer for host in self.hosts() for layer in (*host.layers, host.pending)]
        storage.drop_unused_layers(self.run, used)
