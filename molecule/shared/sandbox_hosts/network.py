# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bridge of a run, its subnet, and the rules that let its hosts out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path

from . import kernel
from .common import RUNTIME, Run, SandboxError, command, locked, read_json, write_json

POOL = IPv4Network("10.213.0.0/16")
BRIDGE_PREFIX = "mcs-"
FIRST_HOST, LAST_HOST = 2, 254


@dataclass(frozen=True)
class Network:
    bridge: str
    subnet: str
    mtu: int

    @property
    def gateway(self) -> str:
        """The controller, as the hosts see it."""
        return str(IPv4Network(self.subnet)[1])

    @property
    def prefix(self) -> int:
        return IPv4Network(self.subnet).prefixlen

    @property
    def chain(self) -> str:
        return f"SANDBOX-{self.bridge.removeprefix(BRIDGE_PREFIX)}"

    def address(self, index: int) -> str:
        return str(IPv4Network(self.subnet)[index])

    def machine(self, index: int) -> str:
        """systemd-nspawn's name of a host: short, as it names the interface too (15 characters at most)."""
        return f"{self.bridge.removeprefix(BRIDGE_PREFIX)}-{index}"

    def interface(self, index: int) -> str:
        return f"vb-{self.machine(index)}"


def choose_subnet(seed: str, taken: Iterable[IPv4Network], preferred: str | None = None) -> IPv4Network:
    """The preferred subnet if it is free, else the next free one counting from the seed (hexadecimal)."""
    occupied = list(taken)
    pool = list(POOL.subnets(new_prefix=24))
    start = int(seed, 16) % len(pool)
    candidates = pool[start:] + pool[:start]
    if preferred:
        candidates.insert(0, IPv4Network(preferred))
    for candidate in candidates:
        if not any(candidate.overlaps(other) for other in occupied):
            return candidate
    raise SandboxError(f"Every subnet of {POOL} is in use on this machine; destroy hosts of other runs.")


def choose_bridge(ident: str, owner: str, existing: Mapping[str, str]) -> str:
    """This run's bridge, by name: its own if it exists, else the first name nobody has."""
    for suffix in ("", *"bcdefgh"):
        name = f"{BRIDGE_PREFIX}{ident}{suffix}"
        if existing.get(name, owner) == owner:
            return name
    raise SandboxError(
        f"Bridges {BRIDGE_PREFIX}{ident}* all belong to other runs; set SANDBOX_RUN to another name."
    )


def choose_index(taken: Iterable[int]) -> int:
    """The lowest free host number."""
    occupied = set(taken)
    for index in range(FIRST_HOST, LAST_HOST + 1):
        if index not in occupied:
            return index
    raise SandboxError(
        f"This run already has {LAST_HOST - FIRST_HOST + 1} hosts, as many as its subnet holds."
    )


def load(run: Run) -> Network | None:
    record = read_json(run.state / "network.json")
    return Network(**record) if record else None


def links() -> dict[str, str]:
    """Interfaces of this machine and what is written on them."""
    return {
        link["ifname"]: link.get("ifalias", "") for link in json.loads(command(["ip", "-j", "link"]).stdout)
    }


def taken_subnets(except_for: str | None) -> list[IPv4Network]:
    """Networks this machine has addresses in or routes to, but for the default route and one interface."""
    routes = json.loads(command(["ip", "-4", "-j", "route", "show", "table", "all"]).stdout)
    result = []
    for route in routes:
        if route["dst"] != "default" and route.get("dev") != except_for:
            with contextlib.suppress(ValueError):
                network = ip_network(route["dst"])
                if isinstance(network, IPv4Network) and network.prefixlen:
                    result.append(network)
    return result


def outer_mtu() -> int:
    """The size of packets this machine can send on: larger ones of a guest would vanish."""
    routes = json.loads(command(["ip", "-4", "-j", "route", "show", "default"]).stdout)
    for route in routes:
        with contextlib.suppress(OSError):
            return int(Path(f"/sys/class/net/{route['dev']}/mtu").read_text())
    return 1500


def ensure(run: Run) -> Network:
    """Bridge, address and rules of this run and the kernel's settings, made if they are not there."""
    with locked(RUNTIME / "lock"):
        existing = links()
        bridge = choose_bridge(run.ident, run.owner, existing)
        known = load(run)
        if bridge in existing and known and known.bridge == bridge:
            network = known
        else:
            subnet = choose_subnet(run.ident, taken_subnets(bridge), known.subnet if known else None)
            network = Network(bridge=bridge, subnet=str(subnet), mtu=outer_mtu())
            write_json(run.state / "network.json", asdict(network))
        if bridge not in existing:
            command(["ip", "link", "add", bridge, "type", "bridge"])
            command(["ip", "link", "set", bridge, "alias", run.owner])
        command(["ip", "addr", "replace", f"{network.gateway}/{network.prefix}", "dev", bridge])
        command(["ip", "link", "set", bridge, "mtu", str(network.mtu), "up"])
        kernel.set_up()
        for rule in rules(network):
            if command(["iptables", "-w", "-t", rule[0], "-C", *rule[1:]], check=False).returncode != 0:
                if rule[0] == "filter":
                    fill_chain(network, [])
                command(["iptables", "-w", "-t", rule[0], "-I", *rule[1:]])
    return network


def rules(network: Network) -> list[list[str]]:
    """Table, chain and rule of everything that leads packets of this run out and back."""
    comment = ["-m", "comment", "--comment", network.bridge]
    return [
        ["nat", "POSTROUTING", "-s", network.subnet, "!", "-d", network.subnet, *comment, "-j", "MASQUERADE"],
        ["filter", "FORWARD", "-i", network.bridge, "-j", network.chain],
        ["filter", "FORWARD", "-o", network.bridge, "-j", network.chain],
    ]


def chain_rules(network: Network, isolated: Iterable[str]) -> list[str]:
    bridge = network.bridge
    return [
        f"-i {bridge} -o {bridge} -j ACCEPT",
        *(f"-s {IPv4Address(address)} -j REJECT" for address in isolated),
        f"-i {bridge} -j ACCEPT",
        f"-o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]


def fill_chain(network: Network, isolated: Iterable[str]) -> None:
    """Replace the rules of this run's chain in one step."""
    lines = [f"-A {network.chain} {rule}" for rule in chain_rules(network, isolated)]
    text = "\n".join(["*filter", f":{network.chain} - [0:0]", *lines, "COMMIT", ""])
    command(["iptables-restore", "-w", "--noflush"], stdin=text)


def remove(run: Run) -> None:
    """Take down everything that ensure() made; the kernel's settings are put back with the last run's end."""
    with locked(RUNTIME / "lock"):
        network = load(run)
        if network is None:
            return
        for rule in rules(network):
            while command(["iptables", "-w", "-t", rule[0], "-D", *rule[1:]], check=False).returncode == 0:
                pass
        for action in ("-F", "-X"):
            command(["iptables", "-w", action, network.chain], check=False)
        existing = links()
        if existing.get(network.bridge) == run.owner:
            command(["ip", "link", "del", network.bridge])
            del existing[network.bridge]
        others = [alias for alias in existing.values() if alias.startswith("mission-control-sandbox:")]
        if not others:
            kernel.put_back()
            (RUNTIME / "lock").unlink()
