# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of this machine's kernel that hosts need: raised while there are hosts, then put back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .common import RUNTIME, SandboxError, say, write

PROC = Path("/proc/sys")


@dataclass(frozen=True)
class Setting:
    name: str  # as sysctl knows it
    least: int
    why: str
    required: bool

    @property
    def path(self) -> Path:
        return PROC / self.name.replace(".", "/")

    @property
    def former(self) -> Path:
        """Where the value is kept that is put back."""
        return RUNTIME / self.name


SETTINGS = (
    Setting("net.ipv4.ip_forward", 1, "without it hosts reach only each other", required=True),
    # Root of every host is root of this machine, and of a host alone it takes more than ten.
    Setting(
        "fs.inotify.max_user_instances", 1024, "the usual 128 are used up by about ten hosts", required=False
    ),
)


def set_up(settings: tuple[Setting, ...] = SETTINGS) -> None:
    for setting in settings:
        value = int(setting.path.read_text())
        if value >= setting.least:
            continue
        write(setting.former, f"{value}\n")
        try:
            setting.path.write_text(f"{setting.least}\n")
        except OSError as error:
            setting.former.unlink()
            problem = (
                f"{setting.name} is {value} and cannot be set here ({error.strerror}); {setting.why}. "
                f"On the machine itself: sysctl {setting.name}={setting.least}"
            )
            if setting.required:
                raise SandboxError(problem) from error
            say(problem)
        else:
            say(f"{setting.name} is {setting.least} instead of {value} while there are hosts: {setting.why}")


def put_back(settings: tuple[Setting, ...] = SETTINGS) -> None:
    for setting in settings:
        if setting.former.exists():
            setting.path.write_text(setting.former.read_text())
            setting.former.unlink()
