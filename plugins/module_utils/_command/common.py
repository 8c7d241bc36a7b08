# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands share: their configuration, whom they act as, and becoming another program."""

from __future__ import annotations

import grp
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from .._application.components import SERVICES
from .._application.layout import COMMAND_CONFIGURATION
from .._host import leaving
from .._host.accounts import Account, find_account, user_environment
from .._plain_json import parse_json
from .._terminal import clean

# Whom root will not act as, whatever the configuration says.
NEVER = frozenset({0})


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
    """Read it. Only root and the application's user may; and root believes only what root has written."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            if os.geteuid() == 0 and (found.st_uid != 0 or found.st_mode & 0o022):
                raise CommandError(
                    f"{path} can be changed by others than root, so root does not go by it. "
                    "Deploy again: the role command writes it anew."
                )
            text = file.read()
    except FileNotFoundError:
        raise CommandError(
            f"{path} does not exist. The role openclaw.mission_control.command writes it."
        ) from None
    except PermissionError:
        raise CommandError(
            f"Only root and {find_readers(path)} may do this. Try: sudo mission-control ..."
        ) from None
    try:
        data = parse_json(text)
        settings = Configuration(
            user=data["user"],
            root=data["root"],
            services=tuple(data["services"]),
            gateway_user=data.get("gateway_user") or "",
            verify=data.get("verify") or {},
        )
        for name in {settings.user, settings.gateway_user} - {""}:
            if os.geteuid() == 0 and find_account(name).uid in NEVER:
                raise CommandError(
                    f"{path} names {name} as the application's user, which may not be root. "
                    "Correct mission_control_user and deploy again."
                )
        return settings
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{path} is damaged ({error}). Deploy again: the role command writes it anew."
        ) from None


def find_readers(path: str) -> str:
    """The name of the group that may read the file: that of the application's user."""
    try:
        name = grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "the application's user"
    return name if name != "root" else "the application's user"


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
        leaving.become(account)
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


def show(text: str, *, cleaned: bool = False) -> None:
    """Print at once, so that it stands before what called programs print. Reports are cleaned already."""
    text = text if cleaned else clean(text)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Say on standard error what is wrong; it may quote what came from the application's user."""
    sys.stderr.write(clean(text).rstrip("\n") + "\n")


def apart(account: Account) -> bool:
    """Whether what runs as the account must be kept away from our terminal."""
    return os.geteuid() == 0 and account.uid != 0


def wanted(configuration: Configuration, names: Sequence[str], *, everything: bool) -> list[str]:
    """The services named, or those of this host that are the caller's, to root all.

    The gateway is acted upon only by name.
    """
    if not names or list(names) == ["all"]:
        found = [name for name in configuration.services if everything or name != "gateway"]
        if os.geteuid() != 0:
            caller = find_account().name
            # A caller who has none is told who may.
            return [name for name in found if configuration.user_of(name) == caller] or found
        return found
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
