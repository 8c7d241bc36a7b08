# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the commands share: their configuration, whom they act as, and becoming another program."""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from .._application.components import SERVICES
from .._application.layout import COMMAND_CONFIGURATION
from .._host.accounts import Account, user_environment


class CommandError(Exception):
    """What keeps the command from doing its work, in the reader's terms."""


@dataclass(frozen=True)
class Configuration:
    """What the role wrote when it installed the command."""

    user: str
    root: str
    services: tuple[str, ...]
    gateway_user: str = ""
    verify: Mapping[str, Any] = field(default_factory=dict)

    def user_of(self, service: str) -> str:
        return (self.gateway_user or self.user) if service == "gateway" else self.user


def load_configuration(path: str = COMMAND_CONFIGURATION) -> Configuration:
    """Read it. Only root and the application's user may."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CommandError(
            f"{path} does not exist. The role openclaw.mission_control.command writes it."
        ) from None
    except PermissionError:
        owner = find_owner(path)
        raise CommandError(f"Only root and {owner} may do this. Try: sudo mission-control ...") from None
    try:
        data = json.loads(text)
        return Configuration(
            user=data["user"],
            root=data["root"],
            services=tuple(data["services"]),
            gateway_user=data.get("gateway_user") or "",
            verify=data.get("verify") or {},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{path} is damaged ({error}). Deploy again: the role command writes it anew."
        ) from None


def find_owner(path: str) -> str:
    """The name of the user to whom a file belongs."""
    try:
        return pwd.getpwuid(Path(path).stat().st_uid).pw_name
    except (OSError, KeyError):
        return "the application's user"


def environment_for(account: Account, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the called programs see: the account's own environment, and the caller's terminal and language."""
    environment = user_environment(account)
    for name in (
        "TERM",
        "COLORTERM",
        "NO_COLOR",
        "COLUMNS",
        "LINES",
        "LANG",
        "LC_ALL",
        "TZ",
        "PAGER",
        "EDITOR",
    ):
        if name in os.environ:
            environment[name] = os.environ[name]
    environment.update(extra or {})
    return environment


def permitted(account: Account) -> None:
    """Only root and the account itself can act for it."""
    if os.geteuid() not in (0, account.uid):
        raise CommandError(f"Only root and {account.name} may do this. Try: sudo mission-control ...")


def become(account: Account) -> None:
    """Continue as the account, for good."""
    permitted(account)
    if os.geteuid() == 0 and account.uid != 0:
        os.setgroups(account.groups)
        os.setgid(account.gid)
        os.setuid(account.uid)
    if not os.access(".", os.R_OK | os.X_OK):
        os.chdir(account.home if Path(account.home).is_dir() else "/")


def execute(argv: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become the program: its signals, its output, its exit status."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(argv[0], list(argv), dict(environment))  # noqa: S606
    except FileNotFoundError:
        package = {"psql": "postgresql-client"}.get(argv[0], "systemd")
        raise CommandError(f"{argv[0]} is not installed. Try: apt-get install {package}") from None


def show(text: str) -> None:
    """Print at once, so that it stands before what called programs print."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def wanted(configuration: Configuration, names: Sequence[str], *, everything: bool) -> list[str]:
    """The services named, or all of this host. The gateway is acted upon only by name."""
    if not names or list(names) == ["all"]:
        return [name for name in configuration.services if everything or name != "gateway"]
    for name in names:
        if name not in SERVICES:
            raise CommandError(
                f"There is no service {name!r}. There are {', '.join(configuration.services)}."
            )
        if name not in configuration.services:
            raise CommandError(
                f"The {name} does not run on this host. Here are {', '.join(configuration.services)}."
            )
    return [name for name in SERVICES if name in names]
