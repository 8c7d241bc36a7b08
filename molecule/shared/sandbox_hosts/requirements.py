# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether this machine can run sandbox hosts, and what to do where it cannot."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from .common import SandboxError, mounts

PACKAGES = {
    "apt-config": "apt",
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "dbus-daemon": "dbus",
    "ip": "iproute2",
    "iptables": "iptables",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "mount": "mount",
}
ALTERNATIVE = (
    "Use any reachable Debian 13 host instead: name it in the inventory (see inventory/example) and run "
    "ansible-playbook -i inventory/example playbooks/deploy.yml."
)
CAP_SYS_ADMIN = 21
CAP_NET_ADMIN = 12


def missing_packages() -> list[str]:
    """Debian packages whose commands are not here."""
    return sorted(
        {package for name, package in PACKAGES.items() if shutil.which(name, path=search_path()) is None}
    )


def search_path() -> str:
    """PATH with the directories of administrators' commands, which some logins lack."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def capabilities() -> int:
    status = Path("/proc/self/status").read_text()
    match = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    return int(match[1], 16) if match else 0


def obstacle(platform: str, uid: int, effective: int, packages: list[str]) -> str | None:
    """Why sandbox hosts are impossible here, as one message; None where they are possible."""
    if platform != "linux":
        return (
            f"Sandbox hosts are systemd-nspawn containers and need Linux; this is {platform}. {ALTERNATIVE}"
        )
    if uid != 0:
        return f"Sandbox hosts need root (user id 0, this is {uid}): run the command with sudo. {ALTERNATIVE}"
    for number, name in ((CAP_SYS_ADMIN, "CAP_SYS_ADMIN"), (CAP_NET_ADMIN, "CAP_NET_ADMIN")):
        if not effective >> number & 1:
            return f"Sandbox hosts need the capability {name}, which this root user lacks. {ALTERNATIVE}"
    if packages:
        return (
            f"Missing Debian packages; install them with: apt-get install --no-install-recommends "
            f"{' '.join(packages)} . Where that is impossible: {ALTERNATIVE}"
        )
    return None


def require() -> None:
    """Stop with a clear message where sandbox hosts are impossible."""
    linux = sys.platform == "linux"
    os.environ["PATH"] = search_path()
    message = obstacle(
        sys.platform,
        os.geteuid() if linux else -1,
        capabilities() if linux else 0,
        missing_packages() if linux else [],
    )
    if message is None and control_group_root() is None:
        message = f"No control group version 2 hierarchy is mounted, which systemd needs. {ALTERNATIVE}"
    if message:
        raise SandboxError(message)


def control_group_root() -> Path | None:
    """Where the version 2 hierarchy is mounted: /sys/fs/cgroup, or below it on hybrid machines."""
    return next(iter(mounts("cgroup2")), None)
