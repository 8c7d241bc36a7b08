# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real hosts, booted on this machine: what the other tests and the sandbox rely on."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sandbox_hosts import network, requirements, storage
from sandbox_hosts.common import DEFAULT_CACHE, Run, find_run, mounts

OBSTACLE = (
    requirements.obstacle(
        sys.platform, os.geteuid(), requirements.capabilities(), requirements.missing_packages()
    )
    if sys.platform == "linux"
    else "not Linux"
)
pytestmark = [pytest.mark.sandbox, pytest.mark.skipif(OBSTACLE is not None, reason=str(OBSTACLE))]


class Sandbox:
    """The command line tool, for one run."""

    def __init__(self, cli: Path, state: Path, run: str, **more: str) -> None:
        self.cli = cli
        self.environment = {**os.environ, "SANDBOX_RUN": run, "SANDBOX_STATE": str(state), **more}
        self.run = find_run(cli.parents[2], self.environment)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(self.cli), *words]

    def try_(self, *words: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def do(self, *words: str, timeout: float = 300) -> str:
        done = self.try_(*words, timeout=timeout)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}{done.stdout}"
        return done.stdout

    def on(self, name: str, script: str) -> str:
        return self.do("ssh", name, "--", script).strip()

    def states(self) -> dict[str, str]:
        return {row["name"]: row["state"] for row in json.loads(self.do("list", "--json"))}

    def address(self, name: str) -> str:
        rows = json.loads(self.do("list", "--json"))
        return str(next(row["address"] for row in rows if row["name"] == name))

    def wait(self, name: str, script: str, seconds: float = 20) -> None:
        """Until a command inside succeeds."""
        deadline = time.monotonic() + seconds
        while self.try_("ssh", name, "--", script).returncode != 0:
            assert time.monotonic() < deadline, f"on {name}, in vain for {seconds} s: {script}"
            time.sleep(0.2)


def traces(run: Run, net: network.Network | None) -> list[str]:
    """What is on this machine of a run: processes, mounts, interfaces, rules, control groups, directories."""
    found = [f"mount {path}" for path in mounts() if run.state in path.parents]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(run.state) in line:
            found.append(f"process {line}")
    if net is not None:
        short = net.bridge.removeprefix(network.BRIDGE_PREFIX)
        rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
        found += [f"rule {line}" for line in rules.splitlines() if short in line or net.subnet in line]
        found += [f"interface {name}" for name in network.links() if short in name]
        for hierarchy in [*mounts("cgroup2"), *mounts("cgroup")]:
            found += [f"control group {path}" for path in hierarchy.glob(f"{network.BRIDGE_PREFIX}{short}-*")]
        found += [f"nspawn {path}" for path in Path("/run/systemd/nspawn").glob(f"*/*{short}-*")]
    found += [f"directory {path}" for path in (run.state, run.runtime) if path.exists()]
    return found


@pytest.fixture(scope="module")
def sandbox(cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A run of its own, whose state is in a directory with a space; with two hosts, booted at once."""
    result = Sandbox(cli, tmp_path_factory.mktemp("with space"), f"test-{os.getpid()}")
    result.do("base", timeout=600)
    try:
        result.do("create", "one", "two")
        yield result
    finally:
        result.do("destroy", "--all")


def test_a_host_is_usable_once_it_is_created(sandbox: Sandbox) -> None:
    sandbox.do("create", "another")
    assert sandbox.on("another", "systemctl is-system-running") == "running"
    sandbox.do("destroy", "another")
    assert "another" not in sandbox.states()


def test_who_asks_often_is_not_shut_out(sandbox: Sandbox) -> None:
    """As the tool does while a host starts: forty connections that end before they say anything."""
    address = sandbox.address("one")
    for _ in range(40):
        with socket.create_connection((address, 22), timeout=20) as connection:
            assert connection.recv(64).startswith(b"SSH-2.0-")


def test_creating_a_running_host_changes_nothing(sandbox: Sandbox) -> None:
    sandbox.on("one", "touch /run/still-here")
    done = sandbox.try_("create", "one")
    assert done.returncode == 0
    assert "one is running" in done.stderr
    sandbox.on("one", "test -e /run/still-here")


def test_hosts_reach_each_other_by_name(sandbox: Sandbox) -> None:
    for here, there in (("one", "two"), ("two", "one")):
        connect = f'import socket; socket.create_connection(("{there}", 22), 5)'
        sandbox.on(here, f"python3 -c '{connect}'")
        assert sandbox.on(here, "hostname") == here
    assert sandbox.on("one", "getent hosts sandbox-controller").split()[0].endswith(".1")


def test_ansible_reaches_the_hosts_of_the_inventory(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text(sandbox.do("inventory", "--group", "mission_control"))
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible"),
            "-i",
            file,
            "mission_control",
            "-m",
            "ansible.builtin.ping",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )
    assert sorted(re.findall(r"^(\w+) \| SUCCESS", done.stdout, re.MULTILINE)) == ["one", "two"], done.stderr


def test_a_connection_that_was_kept_ends_with_its_host(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.do("create", "left")
    file = tmp_path / "hosts.yml"
    file.write_text(sandbox.do("inventory", "left"))
    ping = [Path(sys.executable).with_name("ansible"), "-i", file, "left", "-m", "ansible.builtin.ping"]
    subprocess.run(ping, capture_output=True, check=True, cwd=tmp_path)
    (socket,) = sandbox.run.runtime.glob(f"*@{sandbox.address('left')}")
    sandbox.do("destroy", "left")
    # The next host with this address is reached by connections of its own.
    deadline = time.monotonic() + 20
    while socket.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_key_is_the_owners_only(sandbox: Sandbox) -> None:
    assert sandbox.run.key.stat().st_mode & 0o777 == 0o600


def test_services_of_a_user_run_and_log(sandbox: Sandbox) -> None:
    sandbox.on(
        "one",
        r"""set -e
        useradd --create-home --shell /bin/bash app
        loginctl enable-linger app
        uid=$(id -u app)
        for try in $(seq 50); do test -S /run/user/$uid/bus && break; sleep 0.1; done
        mkdir -p /home/app/.config/systemd/user
        printf '%s\n' '[Service]' 'Type=exec' 'ExecStart=/bin/sh -c "echo it speaks; exec sleep 600"' \
            > /home/app/.config/systemd/user/speaking.service
        chown -R app: /home/app
        run() { setpriv --reuid app --regid app --init-groups env -i PATH=$PATH HOME=/home/app \
            XDG_RUNTIME_DIR=/run/user/$uid "$@"; }
        run systemctl --user start speaking.service
        test "$(run systemctl --user is-active speaking.service)" = active
        journalctl --sync
        run journalctl --user -u speaking.service -o cat | grep -x 'it speaks'
        """,
    )


def test_each_host_has_control_groups_of_its_own(sandbox: Sandbox) -> None:
    sandbox.on("one", "systemd-run --quiet --unit=only-here sleep 600")
    group = "/sys/fs/cgroup/system.slice/only-here.service"
    sandbox.on("one", f"test -d {group}")
    sandbox.on("two", f"test ! -e {group}")


def test_a_host_that_reboots_comes_back(sandbox: Sandbox) -> None:
    sandbox.on("two", "touch /run/before-reboot /root/kept")
    sandbox.try_("ssh", "two", "--", "systemctl reboot")
    sandbox.wait("two", "test ! -e /run/before-reboot && test -e /root/kept")
    assert sandbox.states()["two"] == "running"


def test_a_host_that_is_powered_off_stays_off_until_it_is_created_again(sandbox: Sandbox) -> None:
    sandbox.try_("ssh", "two", "--", "systemctl poweroff")
    deadline = time.monotonic() + 20
    while sandbox.states()["two"] != "stopped":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    sandbox.do("create", "two")
    sandbox.on("two", "test -e /root/kept")


def test_a_snapshot_gives_a_host_with_the_files_and_an_identity_of_its_own(sandbox: Sandbox) -> None:
    sandbox.on(
        "one", "echo content > /root/deployed; rm /etc/issue; mkdir -p /var/log/journal; journalctl --flush"
    )
    sandbox.do("snapshot", "one", "deployed")
    assert sandbox.on("one", "cat /root/deployed") == "content"  # the host itself goes on
    assert "already" in sandbox.try_("snapshot", "one", "deployed").stderr

    sandbox.do("create", "three", "--from", "deployed")
    assert sandbox.on("three", "cat /root/deployed; test ! -e /etc/issue && id -un app") == "content\napp"
    identity = "hostname; cat /etc/machine-id; cat /etc/ssh/ssh_host_*_key.pub | cut -d' ' -f2; hostname -I"
    for mine, others in zip(
        sandbox.on("three", identity).splitlines(), sandbox.on("one", identity).splitlines(), strict=True
    ):
        assert mine != others
    assert sandbox.on("three", "ls /var/log/journal") == sandbox.on("three", "cat /etc/machine-id")

    sandbox.on("three", "rm /root/deployed")
    assert sandbox.on("one", "cat /root/deployed") == "content"
    address = sandbox.address("three")
    sandbox.do("reset", "three")
    assert sandbox.on("three", "cat /root/deployed; hostname -I").split() == ["content", address]
    sandbox.do("snapshots", "--forget", "deployed")
    assert sandbox.do("snapshots") == ""
    assert sandbox.on("three", "id -un app") == "app"  # it keeps what it starts from
    sandbox.do("destroy", "three")


def test_an_isolated_host_reaches_the_run_only(sandbox: Sandbox) -> None:
    sandbox.do("create", "lonely", "--isolated")
    sandbox.on("lonely", """python3 -c 'import socket; socket.create_connection(("one", 22), 5)'""")
    gateway = sandbox.address("lonely").rpartition(".")[0] + ".1"
    # Even with a route the packets are turned back.
    sandbox.on("lonely", f"ip route add default via {gateway}")
    outward = """python3 -c 'import socket; socket.create_connection(("203.0.113.1", 80), 3)' 2>&1; true"""
    assert "refused" in sandbox.on("lonely", outward)
    assert "isolated" in sandbox.do("list")
    # Nor is it helped by what the others have downloaded.
    places = "/var/cache/mission-control /var/cache/apt/archives"
    downloads = f"find {places} -maxdepth 1 -name uv -o -name '*.deb'"
    assert "/var/cache/mission-control/uv" in sandbox.on("one", f"{downloads} 2>&1")
    assert sandbox.on("lonely", f"{downloads} 2>/dev/null || true") == ""
    sandbox.do("destroy", "lonely")


def test_two_hosts_install_packages_at_once_and_a_third_has_them(sandbox: Sandbox) -> None:
    install = (
        "apt-get -qq update && apt-get -qq install --yes hello >/dev/null && hello --version | head -n 1"
    )
    running = [
        subprocess.Popen(
            sandbox.command("ssh", name, "--", install),
            env=sandbox.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for process in running:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.startswith("hello ")
    sandbox.do("snapshot", "two", "with-hello")
    sandbox.do("create", "third")
    assert "hello_" in sandbox.on("third", "ls /var/cache/apt/archives")
    sandbox.do("destroy", "third")


def test_caches_are_shared_and_open_to_every_user(sandbox: Sandbox) -> None:
    name = f"/var/cache/mission-control/npm/test-{os.getpid()}"
    as_user = "setpriv --reuid {} --regid {} --clear-groups"
    sandbox.on("one", f"{as_user.format(4242, 4242)} mkdir {name}")
    sandbox.on("two", f"{as_user.format(4343, 4343)} touch {name}/by-another && rm -r {name}")
    assert sandbox.on("one", "stat -c %a /var/cache/mission-control/uv") == "1777"


def test_an_interrupted_creation_is_taken_up(sandbox: Sandbox) -> None:
    for delay in (0.15, 0.3, 0.6):
        process = subprocess.Popen(
            sandbox.command("create", "broken-off"), env=sandbox.environment, stderr=subprocess.DEVNULL
        )
        time.sleep(delay)
        process.kill()
        process.wait()
    sandbox.do("create", "broken-off")
    assert sandbox.on("broken-off", "hostname") == "broken-off"
    sandbox.do("destroy", "broken-off")


def test_an_interrupted_snapshot_loses_nothing(sandbox: Sandbox) -> None:
    sandbox.do("create", "kept")
    sandbox.on("kept", "echo content > /root/file; sync")
    for delay in (0.2, 0.4, 0.6, 0.8):
        process = subprocess.Popen(
            sandbox.command("snapshot", "kept", "half", "--replace"),
            env=sandbox.environment,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        process.kill()
        process.wait()
        sandbox.do("create", "kept")
        assert sandbox.on("kept", "cat /root/file") == "content"
    sandbox.do("snapshot", "kept", "half", "--replace")
    sandbox.do("destroy", "kept")
    sandbox.do("create", "from-half", "--from", "half")
    assert sandbox.on("from-half", "cat /root/file") == "content"
    sandbox.do("destroy", "from-half")
    sandbox.do("snapshots", "--forget", "half")
    layers = [layer for layer in sandbox.run.layers.iterdir() if layer.name.startswith("half-")]
    assert layers == []


def test_a_host_that_cannot_boot_is_told_with_its_console(sandbox: Sandbox) -> None:
    sandbox.do("create", "sick")
    sandbox.do("stop", "sick")
    broken = sandbox.run.hosts / "sick" / "upper" / "usr" / "lib" / "systemd" / "systemd"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("#!/bin/sh\necho the cause is on the console\nexit 3\n")
    broken.chmod(0o755)
    started = time.monotonic()
    done = sandbox.try_("start", "sick")
    assert done.returncode == 1
    assert "Host sick did not come up" in done.stderr
    assert "the cause is on the console" in done.stderr
    assert time.monotonic() - started < 30
    sandbox.do("destroy", "sick")


def test_an_unknown_host_is_told(sandbox: Sandbox) -> None:
    for words in (("ssh", "nobody", "--", "true"), ("stop", "nobody"), ("snapshot", "nobody", "x")):
        done = sandbox.try_(*words)
        assert done.returncode == 1
        assert "There is no host 'nobody'" in done.stderr
    assert "no snapshot 'nothing'" in sandbox.try_("create", "x", "--from", "nothing").stderr


def test_without_overlayfs_hosts_are_copies(cli: Path, tmp_path: Path) -> None:
    """On a state directory that is itself an overlay; also: a subnet somebody else has is passed over."""
    for name in ("lower", "upper", "work", "state"):
        (tmp_path / name).mkdir()
    state = tmp_path / "state"
    storage.mount_overlay(state, [tmp_path / "lower"], tmp_path / "upper", tmp_path / "work")
    sandbox = Sandbox(cli, state, f"copy-{os.getpid()}")
    wanted = network.choose_subnet(sandbox.run.ident, network.taken_subnets(None))
    dummy = f"mcs-t{os.getpid()}"[:15]
    subprocess.run(["ip", "link", "add", dummy, "type", "bridge"], check=True)
    try:
        subprocess.run(["ip", "addr", "add", f"{wanted[1]}/24", "dev", dummy], check=True)
        done = sandbox.try_("create", "copied")
        assert done.returncode == 0, done.stderr
        assert "full copy" in done.stderr
        root = sandbox.run.hosts / "copied" / "root"
        assert root not in mounts()
        assert sandbox.address("copied") not in {str(address) for address in wanted}
        sandbox.on("copied", "echo content > /root/deployed")
        sandbox.do("snapshot", "copied", "kept")
        sandbox.do("create", "again", "--from", "kept")
        assert sandbox.on("again", "cat /root/deployed; hostname") == "content\nagain"
        net = network.load(sandbox.run)
        sandbox.do("destroy", "copied", "again")
        assert sandbox.do("snapshots").startswith("kept")  # hosts are gone, what was kept is not
        sandbox.do("destroy", "--all")
        assert traces(sandbox.run, net) == []
    finally:
        sandbox.do("destroy", "--all")
        subprocess.run(["ip", "link", "del", dummy], check=True)
        subprocess.run(["umount", state], check=True)


def test_several_commands_make_and_destroy_hosts_at_once(cli: Path, tmp_path: Path) -> None:
    """As scenarios side by side do; whoever is last takes the network down while others may begin."""
    sandbox = Sandbox(cli, tmp_path, f"many-{os.getpid()}")

    def come_and_go(name: str) -> None:
        for _time in range(2):
            sandbox.do("destroy", name)
            sandbox.do("create", name)
            assert sandbox.on(name, "hostname") == name
            sandbox.do("destroy", name)

    try:
        with ThreadPoolExecutor() as pool:
            assert list(pool.map(come_and_go, ("alpha", "beta", "gamma"))) == [None] * 3
        assert traces(sandbox.run, None) == []
    finally:
        sandbox.do("destroy", "--all")


def test_destroying_the_last_host_leaves_nothing(cli: Path, tmp_path: Path) -> None:
    sandbox = Sandbox(cli, tmp_path, f"gone-{os.getpid()}")
    try:
        sandbox.do("create", "first", "second")
        net = network.load(sandbox.run)
        assert net is not None
        kinds = {trace.split()[0] for trace in traces(sandbox.run, net)}
        assert kinds >= {"process", "mount", "rule", "interface", "control", "directory"}
        subprocess.run(["bash", "-c", "exec 3<>/dev/tcp/$0/22", net.address(2)], check=True)
        sandbox.do("destroy", "first")
        assert sandbox.states() == {"second": "running"}
        assert net.bridge in network.links()
        sandbox.do("destroy", "second")
        assert traces(sandbox.run, net) == []
        assert "there is no host second" in sandbox.try_("destroy", "second").stderr
        assert (Path(os.environ.get("SANDBOX_CACHE") or DEFAULT_CACHE) / "bases").is_dir()  # kept on purpose
    finally:
        sandbox.do("destroy", "--all")
