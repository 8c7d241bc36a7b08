# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The command `mission-control` on an application host, for people logged in there.

It is a thin shell over systemctl, journalctl, psql and the installed checks. It works as root and as the
application's user, whatever environment they have, and exits with the status of what it calls.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from .._application.components import SERVICES
from .._application.layout import COMMAND_CONFIGURATION
from .._host import files
from .._host.accounts import SEARCH_PATH, Account, find_account, user_environment
from .._host.addresses import in_url
from .._host.errors import HostError
from .._terminal import clean, escape
from .._verify.reports.names import FORMATS
from .terminal import converse, relay

CANNOT = 2
INTERRUPTED = 130
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
        data = json.loads(text)
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
    import grp

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


def unit(service: str) -> str:
    from .._application.components import service_unit

    return service_unit(service)


# -- the commands ---------------------------------------------------------------------------------


def command_status(configuration: Configuration, options: argparse.Namespace) -> int:
    """systemctl --user status."""
    from .._host.systemd import UserManager

    names = wanted(configuration, options.services, everything=True)
    tell_maintenance(configuration)
    status = 0
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(configuration.user_of(name), []).append(unit(name))
    lines = 0 if len(names) > 1 else 10
    for number, (user, units) in enumerate(groups.items()):
        account = find_account(user)
        permitted(account)
        UserManager(account).require()
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
        status = relay(argv, environment_for(account, columns), account) or status
    return status


def tell_maintenance(configuration: Configuration) -> None:
    """Maintenance, before what systemd says of the units, which run its page."""
    from .._host.accounts import expand_home
    from .._host.user_files import UserFiles
    from .._services.control import read_maintenance

    account = find_account(configuration.user)
    permitted(account)
    sentence = read_maintenance(UserFiles(account), expand_home(configuration.root, account))
    if sentence:
        show(f"Mission Control is {sentence}.\n")


def _operate(configuration: Configuration, options: argparse.Namespace, state: str) -> int:
    from .._host.accounts import expand_home
    from .._redaction import Redactor
    from .._services.control import ServiceError, Services, plan, refuse_maintenance
    from .._verify.target import Host

    names = wanted(configuration, options.services, everything=False)
    account = find_account(configuration.user)
    gateway = find_account(configuration.user_of("gateway")) if "gateway" in names else None
    for one in (account, gateway):
        if one is not None:
            permitted(one)
    redactor = Redactor()
    root = expand_home(configuration.root, account)
    _ = Host(user=account.name, root=root, env_file="", redactor=redactor).environment
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
    from .._host.journal import journal_command, persistent

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
        units = [unit(name) for name in names if configuration.user_of(name) == user]
        matches = [word for word in journal_command(account, units)[1:] if not word.startswith("-")]
        argv += ["+", *matches] if number else matches
    account = next(iter(owners.values()))
    if not any(apart(one) for one in owners.values()):
        execute(argv, environment_for(find_account("root") if as_root else account))
    tidy = escape if options.output.startswith("json") else clean
    return relay(argv, environment_for(find_account("root")), tidy=tidy)


def verify_settings(configuration: Configuration, wait: float | None = None) -> dict[str, Any]:
    """What the installed checks shall look at."""
    common = {
        **(configuration.verify.get("options") or {}),
        "user": configuration.user,
        "root": configuration.root,
    }
    if wait:
        common["deadline"] = wait
    return {**configuration.verify, "options": common}


def command_verify(configuration: Configuration, options: argparse.Namespace) -> int:
    """The installed checks."""
    import socket

    from .._verify import standalone as runner

    permitted(find_account(configuration.user))
    name = socket.gethostname()
    try:
        report = runner.run(verify_settings(configuration, options.wait), options.checks, where=name)
    except runner.BadConfigurationError as error:
        raise CommandError(str(error)) from None
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = runner.show(report, options.format, name=name, colour=colour, verbose=options.verbose)
    if options.output:
        write_private(Path(options.output), text)
    else:
        show(text, cleaned=True)
    return runner.exit_status(report)


def command_serve(configuration: Configuration, options: argparse.Namespace) -> int:
    """The same over HTTP, for monitoring; as the application's user, whoever called it."""
    import socket

    from .._verify import standalone as runner
    from .server import Cache, bind

    become(find_account(configuration.user))
    settings, name = verify_settings(configuration), socket.gethostname()
    try:
        runner.chosen(settings, options.checks)
    except runner.BadConfigurationError as error:
        raise CommandError(str(error)) from None
    cache = Cache(lambda: runner.run(settings, options.checks, where=name), options.cache)
    try:
        server = bind(options.listen, cache, name)
    except OSError as error:
        raise CommandError(
            f"--listen {options.listen[0]}:{options.listen[1]}: {error.strerror}. "
            "Name an address of this host and a free port."
        ) from None
    with server:
        host, port = server.server_address[:2]
        place = f"http://{in_url(str(host))}:{port}"
        show(f"Serving the verdict at {place}/ and {place}/metrics")
        server.serve_forever()
    return 0


def write_private(path: Path, text: str) -> None:
    """Replace a file at once; its readers see the old or the new one."""
    try:
        files.write_atomically(path, text, 0o600)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


def command_releases(configuration: Configuration, options: argparse.Namespace) -> int:
    """The releases of this host."""
    from .._host.accounts import expand_home
    from .._host.user_files import UserFiles
    from .._release.records import local_time, made, release_facts, state_words
    from .._tables import table

    account = find_account(configuration.user)
    permitted(account)
    facts = UserFiles(account).look(lambda: release_facts(expand_home(configuration.root, account)))
    found = [release for release in facts["available"] if not release["partial"]]
    if options.json:
        show(json.dumps({"current": facts["current"], "releases": found}, indent=2))
        return 0
    if not found:
        raise CommandError(f"There is no release in {facts['root']}/releases. Deploy one (playbook deploy).")
    rows = []
    for release in reversed(found):
        state = state_words(release["document"] or {}, current=release["id"] == facts["current"])
        rows.append([release["id"], state, local_time(made(release))])
    show(table(["RELEASE", "STATE", "MADE"], rows, limit=90))
    return 0


def psql_environment(url: str) -> dict[str, str]:
    """The address of the database as variables for psql: an argument would show the password to everybody."""
    from .._verify.checks.database import LIBPQ_PARAMETERS, NO_FILES

    parts = urlsplit(url)
    if parts.scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise CommandError("DATABASE_URL of the deployed environment file is no address of PostgreSQL.")
    values = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    for name, value in parse_qsl(parts.query):
        if name in LIBPQ_PARAMETERS:
            values[LIBPQ_PARAMETERS[name]] = value
    return {name: value for name, value in values.items() if value} | NO_FILES


def command_db(configuration: Configuration, options: argparse.Namespace) -> int:
    """psql as the application, read only unless asked otherwise."""
    from .._redaction import Redactor
    from .._verify.target import Host

    account = find_account(configuration.user)
    permitted(account)
    host = Host(user=account.name, root=configuration.root, env_file="", redactor=Redactor())
    url = host.environment.get("DATABASE_URL", "")
    if not url:
        raise CommandError(
            f"No database is known: {host.env_file} does not hold DATABASE_URL. Is the backend here?"
        )
    try:
        variables = psql_environment(url)
    except ValueError:
        raise CommandError("DATABASE_URL of the deployed environment file cannot be read.") from None
    variables["PGAPPNAME"] = "mission-control-db"
    variables.setdefault("PGCONNECT_TIMEOUT", "10")
    if not options.write:
        read_only = "-c default_transaction_read_only=on"
        variables["PGOPTIONS"] = f"{variables.get('PGOPTIONS', '')} {read_only}".strip()
    environment = environment_for(account, variables)
    if not apart(account):
        execute(["psql", *options.arguments], environment)
    # Nor does the user's own start file run commands while root looks on.
    try:
        return converse(["psql", "--no-psqlrc", *options.arguments], environment, account)
    except FileNotFoundError:
        raise CommandError("psql is not installed. Try: apt-get install postgresql-client") from None


# -- the command line -----------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="mission-control",
        description="Daily commands for OpenClaw Mission Control on this host, as root or as its user.",
        epilog="Exit status: that of what is called. For verify: 0 healthy, 1 unhealthy, 2 could not check.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    names = f"service: {', '.join(name for name in SERVICES if name != 'gateway')}, gateway or all (default)"

    def add(
        name: str, run: Callable[[Configuration, argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        found.set_defaults(run=run)
        return found

    status = add("status", command_status, "show the services' state, as systemctl does")
    status.add_argument("services", nargs="*", metavar="service", help=names)
    for name, run, text in (
        ("restart", command_restart, "restart services, backend first, each healthy before the next"),
        ("start", command_start, "start services, backend first, each healthy before the next"),
        ("stop", command_stop, "stop services, frontend first, and their sockets"),
    ):
        one = add(name, run, text)
        one.add_argument(
            "services", nargs="*", metavar="service", help=f"{names}; the gateway only by its name"
        )
        one.add_argument(
            "--timeout", type=positive, default=180.0, metavar="SECONDS", help="for each service (180)"
        )
    logs = add("logs", command_logs, "show the services' logs, as journalctl does")
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
    verify = add(
        "verify",
        command_verify,
        "check that Mission Control works",
    )
    verify.add_argument("checks", nargs="*", metavar="check", help="only these, e.g. health cors service")
    verify.add_argument("--format", choices=FORMATS, default="table", help="form of the report (table)")
    verify.add_argument("--output", metavar="FILE", help="write the report into a file")
    verify.add_argument("--wait", type=positive, metavar="SECONDS", help="try again for so long what fails")
    verify.add_argument(
        "-v", "--verbose", action="store_true", help="show the parts of checks that passed, too"
    )
    serve = add("serve", command_serve, "answer the same over HTTP, for monitoring: 200 healthy, 503 not")
    serve.add_argument("checks", nargs="*", metavar="check", help="only these, e.g. health cors service")
    serve.add_argument(
        "--listen",
        type=endpoint,
        default=("127.0.0.1", 9180),
        metavar="ADDRESS:PORT",
        help="where (127.0.0.1:9180)",
    )
    serve.add_argument(
        "--cache", type=positive, default=5.0, metavar="SECONDS", help="keep a verdict for so long (5)"
    )
    releases = add("releases", command_releases, "list the releases on this host, the newest first")
    releases.add_argument("--json", action="store_true", help="as JSON, with what each was made from")
    db = add("db", command_db, "open psql on the application's database, read only")
    db.usage = "mission-control db [-h] [--write] [options and arguments of psql]"
    db.epilog = "For example: mission-control db -c 'SELECT name, status FROM agents'"
    db.add_argument("--write", action="store_true", help="allow changes")
    return top


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 86400:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 86400 seconds")
    return value


def endpoint(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    if not address or not port.isdigit() or not 0 <= int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no ADDRESS:PORT, e.g. 127.0.0.1:9180")
    return address, int(port)


def count(text: str) -> str:
    if text != "all" and not (text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines")
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
    try:
        return int(options.run(load_configuration(path), options))
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
