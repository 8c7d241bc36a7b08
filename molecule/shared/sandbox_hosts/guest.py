# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files that make a copy of the base this host and no other: name, address, keys, resolver."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from .common import Run, command, write
from .network import Network

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
# Who asks a starting host over and over is the tool here, or Ansible: since OpenSSH 9.8 (Debian 13) sshd
# shuts such a sender out for minutes ("Connection closed by remote host").
SSHD = "PerSourcePenalties no\nMaxStartups 100\n"
BEGIN, END = "# BEGIN sandbox hosts", "# END sandbox hosts"


def ensure_key(run: Run) -> None:
    """This run's SSH key: made once, readable by its owner only."""
    if not run.key.exists():
        run.state.mkdir(parents=True, exist_ok=True)
        partial = run.key.with_name(f".{run.key.name}.{uuid.uuid4().hex[:8]}")
        command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"sandbox-{run.label}", "-f", partial])
        partial.with_name(partial.name + ".pub").rename(run.key.with_name(run.key.name + ".pub"))
        partial.rename(run.key)


def make_identity(run: Run, root: Path, name: str) -> str:
    """Host name, machine id, SSH host key and the run's key for root. Returns the host's public key."""
    write(root / "etc/hostname", f"{name}\n")
    write(root / "etc/machine-id", f"{uuid.uuid4().hex}\n", 0o444)
    host_key = root / "etc/ssh/ssh_host_ed25519_key"
    for path in (host_key, host_key.with_name(host_key.name + ".pub")):
        path.unlink(missing_ok=True)
    command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"root@{name}", "-f", host_key])
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    public = run.key.with_name(run.key.name + ".pub").read_text()
    write(root / "root/.ssh/authorized_keys", public, 0o600)
    return " ".join(host_key.with_name(host_key.name + ".pub").read_text().split()[:2])


def connect(root: Path, network: Network, index: int, isolated: bool) -> None:
    """Static address, resolver and trusted authorities; done before every boot: the subnet may have moved."""
    lines = ["[Match]", "Name=host0", "", "[Link]", f"MTUBytes={network.mtu}", "", "[Network]"]
    lines += [f"Address={network.address(index)}/{network.prefix}"]
    if not isolated:
        lines += [f"Gateway={network.gateway}"]
    lines += ["LinkLocalAddressing=no", "IPv6AcceptRA=no", ""]
    # The name must sort before systemd's own 80-container-host0.network.
    write(root / "etc/systemd/network/10-host0.network", "\n".join(lines))
    write(root / "etc/resolv.conf", resolver([path.read_text() for path in RESOLVERS if path.exists()]))
    write(root / "etc/ssh/sshd_config.d/00-sandbox.conf", SSHD)
    if AUTHORITIES.exists():
        shutil.copyfile(AUTHORITIES, root / AUTHORITIES.relative_to("/"))


def resolver(candidates: list[str]) -> str:
    """The first resolver configuration a guest can use: a server on loopback is this machine's only."""
    for text in candidates:
        usable = []
        for line in text.splitlines():
            keyword, *values = line.split() or [""]
            loopback = keyword == "nameserver" and values and ip_address(values[0].split("%")[0]).is_loopback
            if keyword in ("nameserver", "search", "options") and not loopback:
                usable.append(line)
        if any(line.startswith("nameserver") for line in usable):
            return "\n".join([*usable, ""])
    return ""


def name_hosts(existing: str, gateway: str, addresses: Mapping[str, str], own: str) -> str:
    """/etc/hosts with our part replaced; what roles or tests added stays."""
    kept = re.sub(rf"{BEGIN}\n.*?{END}\n", "", existing, flags=re.DOTALL)
    if "localhost" not in kept:
        kept = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n" + kept
    kept = re.sub(r"^127\.0\.1\.1 .*\n", "", kept, flags=re.MULTILINE)
    lines = [f"{address} {name}" for name, address in sorted(addresses.items())]
    if own not in addresses:
        lines.append(f"127.0.1.1 {own}")
    return "\n".join([kept.rstrip("\n"), BEGIN, f"{gateway} sandbox-controller", *lines, END, ""])
