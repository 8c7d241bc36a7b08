#!/usr/bin/env python3
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Debian hosts with a real systemd on this machine, to deploy to and to test with.

Each is a systemd-nspawn container reached over SSH. Names, network and files belong to a run: this
checkout's, or the one SANDBOX_RUN names.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from sandbox_hosts import base, inventory, network, requirements, storage
from sandbox_hosts.common import SandboxError, find_run
from sandbox_hosts.hosts import Platform, Sandbox

CLI = Path(__file__).resolve()
CHECKOUT = CLI.parents[2]


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="sandbox.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Environment: SANDBOX_RUN (name of the run), SANDBOX_STATE (default .cache/sandbox here),\n"
        "SANDBOX_CACHE (default /var/cache/openclaw-mission-control), SANDBOX_MIRROR (Debian mirror),\n"
        "SANDBOX_COPY (set: copy the base, do not overlay it), SANDBOX_PATIENCE (how much longer to\n"
        "wait on a slow machine, e.g. 3).",
    )
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")

    create = commands.add_parser("create", help="create hosts and boot them, several at once")
    create.add_argument("names", nargs="*", metavar="NAME")
    create.add_argument(
        "--platforms",
        metavar="FILE",
        help="JSON list of objects with name, snapshot and isolated; - is standard input",
    )
    create.add_argument(
        "--from", dest="snapshot", metavar="SNAPSHOT", help="start from a snapshot, not the base"
    )
    create.add_argument(
        "--isolated",
        action="store_true",
        help="reach the controller and the run's hosts only, share no downloads",
    )

    for name, text in (
        ("start", "boot stopped hosts"),
        ("stop", "shut hosts down, keeping their files"),
        ("reset", "take hosts back to their last snapshot, or to how they were made, and boot them"),
    ):
        commands.add_parser(name, help=text).add_argument("names", nargs="+", metavar="NAME")

    destroy = commands.add_parser("destroy", help="end hosts and remove everything of them")
    destroy.add_argument("names", nargs="*", metavar="NAME")
    destroy.add_argument("--all", action="store_true", help="all hosts, snapshots, the network and the key")

    listing = commands.add_parser("list", help="show the hosts of this run")
    listing.add_argument("--json", action="store_true")

    hosts = commands.add_parser("inventory", help="print an Ansible inventory of the hosts")
    hosts.add_argument("names", nargs="*", metavar="NAME", help="only these hosts")
    hosts.add_argument(
        "--json", action="store_true", help="as Ansible expects it of an inventory program, not YAML"
    )
    hosts.add_argument(
        "--group", action="append", default=[], metavar="GROUP[=NAME,...]", help="put hosts into a group"
    )

    ssh = commands.add_parser("ssh", help="log in as root, or run a command")
    ssh.add_argument("name", metavar="NAME")
    ssh.add_argument("remote", nargs=argparse.REMAINDER, metavar="-- CMD ...")

    snapshot = commands.add_parser("snapshot", help="keep a host's files as a starting point for others")
    snapshot.add_argument("name", metavar="NAME")
    snapshot.add_argument("snapshot", metavar="SNAPSHOT")
    snapshot.add_argument("--replace", action="store_true", help="replace a snapshot of this name")

    snapshots = commands.add_parser("snapshots", help="show the snapshots of this run")
    snapshots.add_argument("--forget", nargs="+", default=[], metavar="SNAPSHOT", help="remove these instead")

    commands.add_parser(
        "base", help="build the base root file system, if it is not there, and print its path"
    )
    commands.add_parser("check", help="say whether this machine can run sandbox hosts")
    commands.add_parser("packages", help="print the Debian packages that are missing, for apt-get")
    commands.add_parser("_supervise").add_argument("name")
    return result


def run(arguments: argparse.Namespace) -> int:
    if arguments.command == "packages":
        print(" ".join(requirements.missing_packages()))
        return 0
    requirements.require()
    os.umask(0o022)
    sandbox = Sandbox(find_run(CHECKOUT, os.environ), CLI, os.environ)
    match arguments.command:
        case "create":
            sandbox.create(platforms(arguments))
        case "start":
            sandbox.start(arguments.names)
        case "stop":
            sandbox.stop(arguments.names)
        case "reset":
            sandbox.reset(arguments.names)
        case "destroy":
            if bool(arguments.names) == arguments.all:
                raise SandboxError("destroy: name hosts, or give --all.")
            if arguments.all:
                sandbox.destroy_all()
            else:
                sandbox.destroy(arguments.names)
        case "list":
            show_hosts(sandbox, arguments.json)
        case "inventory":
            show_inventory(sandbox, arguments.names, arguments.group, arguments.json)
        case "ssh":
            remote = arguments.remote[1:] if arguments.remote[:1] == ["--"] else arguments.remote
            words = [*sandbox.ssh(sandbox.load(arguments.name), ["-t"] if not remote else []), *remote]
            os.execvp(words[0], words)  # noqa: S606
        case "snapshot":
            sandbox.snapshot(arguments.name, arguments.snapshot, arguments.replace)
        case "snapshots":
            if arguments.forget:
                sandbox.forget(arguments.forget)
            else:
                show_snapshots(sandbox)
        case "base":
            print(base.ensure_base(sandbox.run, base.find_recipe(os.environ)))
        case "check":
            print("Sandbox hosts can run on this machine.")
        case "_supervise":
            return sandbox.supervise(arguments.name)
    return 0


def platforms(arguments: argparse.Namespace) -> list[Platform]:
    """The hosts to create, from the names or from the file."""
    if bool(arguments.names) == bool(arguments.platforms):
        raise SandboxError("create: give either names or --platforms.")
    if arguments.names:
        return [Platform(name, arguments.snapshot, arguments.isolated) for name in arguments.names]
    text = sys.stdin.read() if arguments.platforms == "-" else Path(arguments.platforms).read_text()
    return [
        Platform(entry["name"], entry.get("snapshot") or None, bool(entry.get("isolated")))
        for entry in json.loads(text)
    ]


def show_hosts(sandbox: Sandbox, as_json: bool) -> None:
    net = network.load(sandbox.run)
    rows = [
        {
            "name": host.name,
            "state": "running" if sandbox.running(host.name) else "stopped",
            "address": net.address(host.index) if net else "",
            "from": host.snapshot or "base",
            "isolated": host.isolated,
        }
        for host in sandbox.hosts()
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
    for row in [] if as_json else rows:
        isolated = " (isolated)" if row["isolated"] else ""
        print(f"{row['name']:24} {row['state']:8} {row['address']:15} {row['from']}{isolated}")


def show_inventory(sandbox: Sandbox, names: list[str], groups: list[str], as_json: bool) -> None:
    hosts = [sandbox.load(name) for name in names] if names else sandbox.hosts()
    variables = {
        host.name: inventory.host_variables(
            sandbox.network().address(host.index),
            str(sandbox.run.key),
            sandbox.ssh_options(),
            sandbox.persist_options(),
        )
        for host in hosts
    }
    render = inventory.render_json if as_json else inventory.render
    print(render(variables, inventory.parse_groups(groups, list(variables))), end="")


def show_snapshots(sandbox: Sandbox) -> None:
    for name in storage.snapshot_names(sandbox.run):
        record = storage.load_snapshot(sandbox.run, name)
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.time))
        print(f"{name:24} of {record.host}, {made}")


def main() -> int:
    # As Ctrl-C: what runs below is ended and cleaned up, nothing half done is used later.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(parser().parse_args())
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sandbox: interrupted; the same command takes up where this one stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
