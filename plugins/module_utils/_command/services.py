# SPDX-License-Identifier: GPL-3.0-or-later
"""The services: their state, start, stop and restart, and their lines in the journal."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from .._application.components import service_unit
from .._application.installation import Installation
from .._host.accounts import expand_home, find_account
from .._host.errors import HostError
from .._host.journal_query import Query, journal_command, persistent
from .._host.systemd import UserManager
from .._host.user_files import UserFiles
from .._redaction import Redactor
from .._services.control import ServiceError, Services, plan, read_maintenance, refuse_maintenance
from .._terminal import clean
from .common import (
    CommandError,
    Configuration,
    apart,
    become,
    complain,
    environment_for,
    execute,
    permitted,
    show,
    wanted,
)
from .json_text import escape
from .terminal import relay

# What systemctl has for the state of the services; it reads their last lines in the journal, too.
ANSWER_SECONDS = 30.0


def command_status(configuration: Configuration, options: argparse.Namespace) -> int:
    """systemctl --user status."""
    names = wanted(configuration, options.services, everything=True)
    tell_maintenance(configuration)
    status = 0
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(configuration.user_of(name), []).append(service_unit(name))
    lines = 0 if len(names) > 1 else 10
    for number, (user, units) in enumerate(groups.items()):
        account = find_account(user)
        permitted(account)
        manager = UserManager(account)
        manager.require()
        argv = [
            "systemctl",
            "--user",
            "--no-pager",
            f"--lines={lines}",
            "status",
            "--",
            *units,
        ]
        if not apart(account) and number == len(groups) - 1 and status == 0:
            become(account)
            execute(argv, environment_for(account))
        columns = {"COLUMNS": str(shutil.get_terminal_size().columns)} if sys.stdout.isatty() else {}
        try:
            done = relay(argv, environment_for(account, columns), account, seconds=ANSWER_SECONDS)
        except HostError as error:
            raise (manager.silent(ANSWER_SECONDS) if error.kind == "timeout" else error) from None
        status = done or status
    return status


def tell_maintenance(configuration: Configuration) -> None:
    """Maintenance, before what systemd says of the units, which run its page."""
    account = find_account(configuration.user)
    permitted(account)
    sentence = read_maintenance(UserFiles(account), expand_home(configuration.root, account))
    if sentence:
        show(f"Mission Control is {sentence}.\n")


def _operate(configuration: Configuration, options: argparse.Namespace, state: str) -> int:
    names = wanted(configuration, options.services, everything=False)
    account = find_account(configuration.user)
    gateway = find_account(configuration.user_of("gateway")) if "gateway" in names else None
    for one in (account, gateway):
        if one is not None:
            permitted(one)
    redactor = Redactor()
    root = expand_home(configuration.root, account)
    _ = Installation(user=account.name, root=root, env_file="", redactor=redactor).environment
    services = Services(account, root, redactor=redactor, gateway_account=gateway)
    found = services.states(names)
    if set(names) != {"gateway"}:
        refuse_maintenance(services.files, root, state)
    actions = plan(found, state)
    words = {
        "start": ("Starting", "is running"),
        "restart": ("Restarting", "is running"),
        "stop": ("Stopping", "is stopped"),
    }
    for name in names:
        if name not in {action.service for action in actions}:
            show(f"{found[name].unit} {'is stopped' if state == 'stopped' else 'is running'} already")
    for action in actions:
        show(f"{words[action.action][0]} {action.unit} ...")
        try:
            services.carry_out(action, options.timeout)
        except ServiceError as error:
            for line in error.journal[-10:]:
                complain(f"    {line}")
            raise
        show(f"{action.unit} {words[action.action][1]}")
    return 0


def command_start(configuration: Configuration, options: argparse.Namespace) -> int:
    """Start, backend first, each healthy before the next."""
    return _operate(configuration, options, "started")


def command_restart(configuration: Configuration, options: argparse.Namespace) -> int:
    """Restart, backend first, each healthy before the next."""
    return _operate(configuration, options, "restarted")


def command_stop(configuration: Configuration, options: argparse.Namespace) -> int:
    """Stop, frontend first."""
    return _operate(configuration, options, "stopped")


def command_logs(configuration: Configuration, options: argparse.Namespace) -> int:
    """journalctl over the services' lines."""
    names = wanted(configuration, options.services, everything=True)
    owners = {configuration.user_of(name): find_account(configuration.user_of(name)) for name in names}
    for account in owners.values():
        permitted(account)
    as_root = os.geteuid() == 0
    if not as_root and not persistent():
        raise CommandError(
            "The journal is not kept on disk, so only root can read it. Try: sudo mission-control logs; "
            "or set Storage=persistent in journald.conf (the role common does)."
        )
    argv = ["journalctl", "--no-pager", f"--output={options.output}"]
    if not as_root:
        argv.append("--user")
    lines = options.lines if options.lines is not None else (10 if options.follow else 100)
    argv.append(f"--lines={lines}")
    for name, value in (("since", options.since), ("until", options.until), ("grep", options.grep)):
        if value:
            argv.append(f"--{name}={value}")
    if options.follow:
        argv.append("--follow")
    for number, (user, account) in enumerate(owners.items()):
        units = [service_unit(name) for name in names if configuration.user_of(name) == user]
        command = journal_command(account, Query(units), as_user=not as_root)
        matches = [word for word in command[1:] if not word.startswith("-")]
        argv += ["+", *matches] if number else matches
    account = next(iter(owners.values()))
    if not any(apart(one) for one in owners.values()):
        execute(argv, environment_for(find_account("root") if as_root else account))
    tidy = escape if options.output.startswith("json") else clean
    return relay(argv, environment_for(find_account("root")), tidy=tidy)
