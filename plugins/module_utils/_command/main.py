# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `mission-control` on an application host, for people logged in there.

It is a thin shell over systemctl, journalctl, psql and the installed checks. It works as root and as the
application's user, whatever environment they have, and exits with the status of what it calls.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from .._application.components import SERVICES
from .._application.layout import COMMAND_CONFIGURATION
from .._host.accounts import SEARCH_PATH
from .._host.deployment_errors import os_error
from .._host.errors import HostError
from .._verify.reports.names import FORMATS
from .common import CommandError, complain, load_configuration

CANNOT = 2
# Where `serve` listens where nothing else is said.
LISTEN = ("127.0.0.1", 9180)
INTERRUPTED = 130
# Command: the module with the function that does it.
COMMANDS = {
    "status": ("services", "command_status"),
    "restart": ("services", "command_restart"),
    "start": ("services", "command_start"),
    "stop": ("services", "command_stop"),
    "logs": ("services", "command_logs"),
    "verify": ("checks", "command_verify"),
    "serve": ("checks", "command_serve"),
    "repair": ("repair", "command_repair"),
    "releases": ("releases", "command_releases"),
    "db": ("database", "command_db"),
    "backup": ("backups", "command_backup"),
    "backups": ("backups", "command_backups"),
}


def run(options: argparse.Namespace, path: str) -> int:
    """Do what the command line asks for. Returns the exit status."""
    module, function = COMMANDS[options.command]
    # By name: to load the checks would make `status` wait several times as long as systemctl takes.
    work = getattr(importlib.import_module(f".{module}", __package__), function)
    return int(work(load_configuration(path), options))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="mission-control",
        description="Daily commands for OpenClaw Mission Control on this host, as root or as its user.",
        epilog="Exit status: that of what is called. For verify and repair: 0 healthy, "
        "1 unhealthy, 2 could not check.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    names = f"service: {', '.join(name for name in SERVICES if name != 'gateway')}, gateway or all (default)"

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")

    status = add("status", "show the services' state, as systemctl does")
    status.add_argument("services", nargs="*", metavar="service", help=names)
    for name, text in (
        ("restart", "restart services, backend first, each healthy before the next"),
        ("start", "start services, backend first, each healthy before the next"),
        ("stop", "stop services, frontend first, and their sockets"),
    ):
        one = add(name, text)
        one.add_argument(
            "services", nargs="*", metavar="service", help=f"{names}; the gateway only by its name"
        )
        one.add_argument(
            "--timeout", type=positive, default=180.0, metavar="SECONDS", help="for each service (180)"
        )
    _add_logs(add("logs", "show the services' logs, as journalctl does"), names)
    _add_verify(add("verify", "check that Mission Control works"))
    _add_serve(add("serve", "answer the same over HTTP, for monitoring: 200 healthy, 503 not"))
    repair = add("repair", "do what verify's remedies say, where that is safe, and verify again")
    repair.add_argument("--check", action="store_true", help="say what would be done, and do nothing")
    repair.add_argument("--json", action="store_true", help="as JSON: what was done, and what is left")
    repair.add_argument(
        "--wait", type=positive, default=90.0, metavar="SECONDS", help="for what was done to show (90)"
    )
    releases = add("releases", "list the releases on this host, the newest first")
    releases.add_argument("--json", action="store_true", help="as JSON, with what each was made from")
    backup = add("backup", "make a restore point now, or prove one")
    backup.add_argument(
        "--drill", action="store_true", help="restore the newest one beside what runs, and compare"
    )
    backup.add_argument("--scheduled", action="store_true", help="as the timer calls it")
    backups = add("backups", "list the restore points of this host, the newest first")
    backups.add_argument("--json", action="store_true", help="as JSON, with how the last runs went")
    db = add("db", "open psql on the application's database, read only")
    db.usage = "mission-control db [-h] [--write] [options and arguments of psql]"
    db.epilog = "For example: mission-control db -c 'SELECT name, status FROM agents'"
    db.add_argument("--write", action="store_true", help="allow changes")
    return top


def _add_logs(logs: argparse.ArgumentParser, names: str) -> None:
    logs.add_argument("services", nargs="*", metavar="service", help=names)
    logs.add_argument("-f", "--follow", action="store_true", help="go on with new lines until interrupted")
    logs.add_argument(
        "-n", "--lines", type=count, metavar="N", help="how many lines (100; with -f 10; or all)"
    )
    logs.add_argument("--since", metavar="TIME", help='as journalctl takes it, e.g. "10 min ago", yesterday')
    logs.add_argument("--until", metavar="TIME", help="likewise")
    logs.add_argument("-g", "--grep", metavar="PATTERN", help="only lines that match a regular expression")
    logs.add_argument(
        "-o", "--output", metavar="FORMAT", default="short-iso", help="short-iso, json, cat ..."
    )


def _add_verify(verify: argparse.ArgumentParser) -> None:
    verify.add_argument("checks", nargs="*", metavar="check", help="only these, e.g. health cors service")
    verify.add_argument("--format", choices=FORMATS, default="table", help="form of the report (table)")
    verify.add_argument("--output", metavar="FILE", help="write the report into a file")
    verify.add_argument("--wait", type=positive, metavar="SECONDS", help="try again for so long what fails")
    verify.add_argument(
        "-v", "--verbose", action="store_true", help="show the parts of checks that passed, too"
    )


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("checks", nargs="*", metavar="check", help="only these, e.g. health cors service")
    serve.add_argument(
        "--listen",
        type=endpoint,
        default=LISTEN,
        metavar="ADDRESS:PORT",
        help=f"where ({LISTEN[0]}:{LISTEN[1]})",
    )
    serve.add_argument(
        "--cache", type=positive, default=5.0, metavar="SECONDS", help="keep a verdict for so long (5)"
    )
    serve.add_argument(
        "--name",
        action="append",
        metavar="NAME",
        help="answer requests for this name, too, as a proxy in front may send them; repeatable",
    )


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 86400:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 86400 seconds")
    return value


def endpoint(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    if not address or not port.isdigit() or not 0 <= int(port) < 65536:
        example = ":".join(map(str, LISTEN))
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form ADDRESS:PORT, e.g. {example}")
    return address, int(port)


def count(text: str) -> str:
    if text != "all" and not (text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines")
    return text


def main(arguments: Sequence[str] | None = None, path: str = COMMAND_CONFIGURATION) -> int:
    """Run the command; the result is its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    rest: list[str] = []
    if given[:1] == ["db"] and not {"-h", "--help"} & set(given[1:2]):
        # Everything else is for psql.
        given, rest = given[:1], given[1:]
        if rest[:1] == ["--write"]:
            given, rest = [*given, "--write"], rest[1:]
    options = parser().parse_args(given)
    options.arguments = rest
    os.environ["PATH"] = SEARCH_PATH
    os.umask(0o022)
    try:
        return run(options, path)
    except CommandError as error:
        complain(f"mission-control: {error}")
        return CANNOT
    except HostError as error:
        complain(f"mission-control: {error.message} {error.remedy}".rstrip())
        return 1 if options.command in ("start", "restart", "stop") else CANNOT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # What the application's user has put somewhere, say, where it may not look itself.
        complain(f"mission-control: {os_error(error).message}")
        return CANNOT
