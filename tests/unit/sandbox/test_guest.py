# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files written into hosts, and the inventory that leads to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sandbox_hosts import guest, inventory, storage
from sandbox_hosts.common import Run, SandboxError
from sandbox_hosts.hosts import Platform, Sandbox

STUB = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example\n"
REAL = "# made by resolved\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch example\n"


def test_a_resolver_on_loopback_is_not_for_guests() -> None:
    assert guest.resolver([STUB, REAL]) == "nameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch example\n"
    assert guest.resolver([REAL, STUB]).startswith("nameserver 192.0.2.53\n")
    assert guest.resolver([STUB, "nameserver ::1\n", ""]) == ""


def test_names_replace_ours_and_keep_the_rest() -> None:
    debian = "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost\n"
    first = guest.name_hosts(debian, "10.213.7.1", {"web": "10.213.7.2", "db": "10.213.7.3"}, "web")
    assert "10.213.7.2 web\n" in first
    assert "10.213.7.3 db\n" in first
    assert "10.213.7.1 sandbox-controller\n" in first
    added = first + "192.0.2.9 gateway.example\n"
    second = guest.name_hosts(added, "10.213.7.1", {"web": "10.213.7.2"}, "web")
    assert " db" not in second
    assert "192.0.2.9 gateway.example" in second
    assert second.count("sandbox-controller") == 1
    assert guest.name_hosts(second, "10.213.7.1", {"web": "10.213.7.2"}, "web") == second


def test_localhost_is_always_there() -> None:
    assert "127.0.0.1 localhost\n" in guest.name_hosts("", "10.213.7.1", {}, "web")


def ansible_inventory(text: str, directory: Path, executable: bool = False) -> dict[str, Any]:
    file = directory / "inventory"
    file.write_text(text)
    file.chmod(0o755 if executable else 0o644)
    program = Path(sys.executable).with_name("ansible-inventory")
    done = subprocess.run(
        [program, "-i", file, "--list"],
        capture_output=True,
        text=True,
        check=True,
        cwd=directory,
        # Settings of the checkout can add variables of their own, for example ansible_local.
        env={name: value for name, value in os.environ.items() if name != "ANSIBLE_CONFIG"},
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_ansible_reads_the_inventory(tmp_path: Path) -> None:
    options = ["-F", "/dev/null", "-o", 'UserKnownHostsFile="/with space/known_hosts"']
    variables = inventory.host_variables(
        "10.213.7.2", "/with space/key", options, ["-o", "ControlPath=/run/x/%h"]
    )
    hosts = {"web": variables, "db": variables}
    groups = inventory.parse_groups(["mission_control", "mission_control_postgresql=db"], list(hosts))
    read = ansible_inventory(inventory.render(hosts, groups), tmp_path)
    web = read["_meta"]["hostvars"]["web"]
    assert web == {
        "ansible_host": "10.213.7.2",
        "ansible_user": "root",
        "ansible_ssh_private_key_file": "/with space/key",
        "ansible_ssh_args": "-o ControlPath=/run/x/%h",
        "ansible_ssh_common_args": "-F /dev/null -o 'UserKnownHostsFile=\"/with space/known_hosts\"'",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    assert read["mission_control"]["hosts"] == ["web", "db"]
    program = f"#!/bin/sh\ncat <<'END'\n{inventory.render_json(hosts, groups)}END\n"
    assert ansible_inventory(program, tmp_path, executable=True) == read
    assert read["mission_control_postgresql"]["hosts"] == ["db"]


def test_an_inventory_without_hosts_is_valid(tmp_path: Path) -> None:
    assert ansible_inventory(inventory.render({}, {}), tmp_path)["_meta"]["hostvars"] == {}


def test_a_group_of_unknown_hosts_is_refused() -> None:
    with pytest.raises(SandboxError, match="no host 'nowhere'"):
        inventory.parse_groups(["group=web,nowhere"], ["web"])


def test_layers_nothing_starts_from_are_removed(tmp_path: Path) -> None:
    run = Run(label="x", state=tmp_path, cache=tmp_path / "cache")
    for name in ("of-a-snapshot", "of-a-host", "unused"):
        (run.layers / name).mkdir(parents=True)
    root = storage.Root(tmp_path / "hosts" / "web", "overlay", [run.layers / "of-a-snapshot", Path("/base")])
    storage.save_snapshot(run, "deployed", root, "web")
    assert storage.load_snapshot(run, "deployed").layers == [str(run.layers / "of-a-snapshot"), "/base"]
    storage.drop_unused_layers(run, [str(run.layers / "of-a-host")])
    assert sorted(path.name for path in run.layers.iterdir()) == ["of-a-host", "of-a-snapshot"]


def test_nobody_gets_the_address_that_a_snapshot_knows(tmp_path: Path) -> None:
    """Scenarios keep it on a host's loopback, which answers for it in the whole network."""
    run = Run(label="x", state=tmp_path, cache=tmp_path / "cache")
    storage.save_snapshot(run, "deployed", storage.Root(tmp_path, "overlay", []), "web", 2)
    sandbox = Sandbox(run, tmp_path / "sandbox.py", {})
    for name in ("one", "two"):
        sandbox.register(Platform(name), ([], "overlay"))
    assert sorted(host.index for host in sandbox.hosts()) == [3, 4]


def test_an_unknown_snapshot_is_told_with_the_known_ones(tmp_path: Path) -> None:
    run = Run(label="x", state=tmp_path, cache=tmp_path / "cache")
    storage.save_snapshot(run, "deployed", storage.Root(tmp_path, "overlay", []), "web")
    with pytest.raises(SandboxError, match=r"no snapshot 'deplyed'.*deployed"):
        storage.load_snapshot(run, "deplyed")
