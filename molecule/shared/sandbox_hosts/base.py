# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The base root file system every host starts from, built once and named by its recipe."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .common import Run, SandboxError, command, locked, mounts, remove_tree, say

SUITE = "trixie"
# What a small Debian server has, and what Ansible's apt module needs. Nothing a role has to install.
PACKAGES = (
    "ca-certificates",
    "dbus",
    "dbus-user-session",
    "iproute2",
    "libpam-systemd",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
)
# Identity belongs to a host, not to the base; timers that take apt's lock at random would disturb tests.
CUSTOMIZE = (
    'rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/resolv.conf" "$1/etc/hostname" && : > "$1/etc/machine-id"',
    'chroot "$1" systemctl --quiet enable systemd-networkd.service ssh.service',
    'chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer fstrim.timer '
    "systemd-firstboot.service sshd-keygen.service",
)
GUEST_APT = {
    "APT::Keep-Downloaded-Packages": "true",
    "Binary::apt::APT::Keep-Downloaded-Packages": "true",
    "Acquire::Retries": "3",
    "Acquire::Languages": "none",
    "DPkg::Lock::Timeout": "120",
}
# Settings of this machine's apt without which a guest may not reach the same mirror.
INHERITED_APT = re.compile(
    r'^(Acquire::(?:http|https)::(?:Proxy|CAInfo)[^ ]*|Acquire::Check-(?:Valid-Until|Date)) "(.*)";$',
    re.MULTILINE,
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is in the base."""

    apt: Mapping[str, str]
    mirror: str = ""
    suite: str = SUITE
    packages: tuple[str, ...] = PACKAGES
    customize: tuple[str, ...] = CUSTOMIZE

    @property
    def name(self) -> str:
        text = repr((self.suite, self.mirror, self.packages, self.customize, sorted(self.apt.items())))
        return f"{self.suite}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def arguments(self, target: Path) -> list[str]:
        words = [
            "mmdebstrap",
            "--variant=minbase",
            "--format=directory",
            f"--include={','.join(self.packages)}",
        ]
        words += [f'--aptopt={key} "{value}"' for key, value in sorted(self.apt.items())]
        words += [f"--customize-hook={hook}" for hook in self.customize]
        return [*words, self.suite, str(target), *([self.mirror] if self.mirror else [])]


def find_recipe(environment: Mapping[str, str]) -> Recipe:
    """The recipe on this machine; SANDBOX_MIRROR overrides mmdebstrap's default mirror."""
    inherited = dict(INHERITED_APT.findall(command(["apt-config", "dump"]).stdout))
    return Recipe(apt={**inherited, **GUEST_APT}, mirror=environment.get("SANDBOX_MIRROR", ""))


def ensure_base(run: Run, recipe: Recipe) -> Path:
    """The base's directory, built if it is not there."""
    bases = run.cache / "bases"
    target = bases / recipe.name
    if target.is_dir():
        return target
    with locked(run.cache / "base.lock", "waiting for another process that builds a base") as lock:
        if target.is_dir():
            return target
        bases.mkdir(parents=True, exist_ok=True)
        for leftover in bases.glob("*.partial-*"):  # of a build that was interrupted: we hold the lock
            for mounted in reversed([path for path in mounts() if leftover in path.parents]):
                command(["umount", "--lazy", mounted])
            remove_tree(leftover)
        partial = Path(tempfile.mkdtemp(prefix=f"{recipe.name}.partial-", dir=bases))
        started = time.monotonic()
        say(f"building the base root file system {recipe.name} (once, about half a minute)")
        build(recipe, partial, lock)
        partial.chmod(0o755)
        partial.rename(target)
        say(f"base {recipe.name} ready after {time.monotonic() - started:.0f} s")
    return target


def build(recipe: Recipe, target: Path, lock: int) -> None:
    """Run mmdebstrap, passing on its stages as progress. It holds the lock too, if this process is killed."""
    tail: deque[str] = deque(maxlen=15)
    with subprocess.Popen(
        recipe.arguments(target),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        pass_fds=(lock,),
    ) as process:
        try:
            for line in process.stdout or ():
                tail.append(line.rstrip())
                if line.startswith("I: ") and line.rstrip().endswith("..."):
                    say(f"  {line[3:].strip()}")
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise SandboxError(
            "mmdebstrap failed with status {}:\n{}".format(process.returncode, "\n".join(tail))
        )
