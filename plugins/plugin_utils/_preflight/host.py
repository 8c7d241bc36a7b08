# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the host: system, Python, ports, room on disk and in memory."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...module_utils._application.components import PORTS, service_unit
from ...module_utils._application.frontend_settings import derived_api_url
from ...module_utils._host import reachable
from ...module_utils._host.journal_storage import KEPT
from ...module_utils._host.written_addresses import IPV4_EVERYWHERE
from ...module_utils._times.amounts import size
from .model import PREFIX, Context, Problem

# --- the host ------------------------------------------------------------------------------------


def noexec(context: Context) -> Iterator[Problem]:
    """Programs are installed below the root and its user's home: there they have to be runnable."""
    if context.host is None:
        return
    for path, space in context.host["disk"].items():
        if space.get("noexec"):
            yield Problem(
                "noexec",
                f"host {context.hostname}",
                message=f"{path} lies on a file system ({space['checked']}) that is mounted noexec, where no "
                "program may be run",
                remedy=f"mount it without noexec (findmnt -T {space['checked']}), or set {PREFIX}_root or "
                f"{PREFIX}_user to what lies elsewhere",
            )


def journal_storage(context: Context) -> Iterator[Problem]:
    """A later file of journald's settings that takes the journal from the disk."""
    journal = (context.host or {}).get("journal") or {}
    if journal.get("storage", "auto") in KEPT:
        return
    yield Problem(
        "journal_storage",
        f"host {context.hostname}",
        message=f"keeps no journal on disk (Storage={journal['storage']} in {journal['storage_file']}, which "
        "counts more than what this collection writes): journalctl --user and the log check show nothing",
        remedy="remove that line and run systemctl restart systemd-journald",
        warning=True,
    )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def operating_system(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    system = context.host["os"]
    name, version = system["id"], _version(system["version"])
    shown = system.get("name") or f"{name} {system['version']}"
    remedy = "use Debian 13, or Ubuntu 24.04 or newer"
    subject = f"host {context.hostname}"
    if system.get("init") != "systemd":
        yield Problem(
            "operating_system",
            subject,
            message="does not run systemd, which keeps the services",
            remedy=remedy,
            value=shown,
        )
    if name == "debian" and version and version >= (13,):
        if version > (13, 99):
            yield _untested(subject, shown)
    elif name == "debian" and not version:
        # Testing and unstable name no version.
        yield _untested(subject, shown)
    elif name == "ubuntu" and version >= (24, 4):
        yield _untested(subject, shown)
    elif name in ("debian", "ubuntu"):
        yield Problem(
            "operating_system",
            subject,
            message="is too old: its Python is older than 3.12",
            remedy=remedy,
            value=shown,
        )
    else:
        yield Problem("operating_system", subject, message="is not supported", remedy=remedy, value=shown)


def _untested(subject: str, shown: str) -> Problem:
    return Problem(
        "operating_system",
        subject,
        message="has not been tested with this collection",
        remedy="tell us how it went",
        value=shown,
        warning=True,
    )


def python(context: Context) -> Iterator[Problem]:
    if context.host is None or not context.runs("backend", "worker"):
        return
    found = context.host["python"]
    if not any(entry["suitable"] for entry in found):
        newest = found[0]["version"] if found else "none"
        yield Problem(
            "python",
            f"host {context.hostname}",
            message="the backend needs Python 3.12 or newer",
            remedy="use Debian 13 or Ubuntu 24.04, or install a newer Python as /usr/local/bin/python3.12",
            value=f"Python {newest}",
        )


def interpreter(context: Context) -> Iterator[Problem]:
    """The packages that the roles install are for the distribution's Python."""
    found = (context.host or {}).get("interpreter") or {}
    if not found.get("missing") or not context.runs("postgresql", "backend", "worker", "frontend"):
        return
    what = "is that of a virtual environment of its own" if found["virtual"] else "is not the distribution's"
    lacking = " and ".join(found["missing"])
    yield Problem(
        "interpreter",
        "ansible_python_interpreter",
        message=f"{what}, which lacks {lacking}, and Debian's packages do not reach it",
        remedy=f"set it to /usr/bin/python3, or install {lacking} there",
        value=str(found["path"]),
    )


def port_numbers(context: Context) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for port in context.ports:
        text = str(port.number)
        number = int(text) if re.fullmatch(r"\d{1,5}", text) else -1
        if not 1 <= number <= 65535:
            yield Problem(
                "port_numbers",
                port.variable,
                message="is not a valid port",
                remedy="give a number from 1024 to 65535",
                value=text,
            )
        elif number < 1024:
            yield Problem(
                "port_numbers",
                port.variable,
                message="is a port that an ordinary user may not open",
                remedy="give a number from 1024 to 65535 and put a proxy before it",
                value=text,
            )
        elif number in seen:
            yield Problem(
                "port_numbers",
                port.variable,
                message=f"is that of {seen[number]} too",
                remedy="give another number",
                value=text,
            )
        else:
            seen[number] = port.variable


def ports_free(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    uid = (context.host.get("user") or {}).get("uid")
    adopted = _adopted_pids(context.host)
    for port in context.ports:
        for listener in context.host["listeners"]:
            if str(listener["port"]) != str(port.number) or _is_ours(listener, uid):
                continue
            if port.variable == "gateway_port" and _is_our_gateway(listener, uid, context):
                continue
            if listener["pid"] in adopted or _may_be_ours(listener, uid, port.variable, adopted):
                continue
            yield Problem(
                "ports_free",
                port.variable,
                message=f"is held by {holder_of(listener)}",
                remedy=_port_remedy(listener),
                value=str(port.number),
            )
            break


def holder_of(listener: Mapping[str, Any]) -> str:
    """Who has a port, in words."""
    unit = f" of {listener['unit']}" if listener.get("unit") else ""
    return (
        f"{listener['command'] or 'a process'} (PID {listener['pid'] or 'unknown'}, "
        f"user {listener.get('user', listener['uid'])}){unit}"
    )


def _is_ours(listener: Mapping[str, Any], uid: int | None) -> bool:
    """A unit of this deployment, or the user's manager, which holds the sockets of socket units."""
    if uid is None or listener["uid"] != uid:
        return False
    unit = listener.get("unit") or ""
    own = unit.startswith(("mission-control-", "openclaw-mission-control-"))
    return own or listener["command"] == "systemd"


def _may_be_ours(
    listener: Mapping[str, Any], uid: int | None, variable: str, adopted: Collection[int]
) -> bool:
    """Its process could not be found. If the port is not free after all, its service will not start."""
    several_users = bool(adopted) or variable == "gateway_port"
    return bool(listener.get("unknown")) and (several_users or listener["uid"] == uid)


def _is_our_gateway(listener: Mapping[str, Any], uid: int | None, context: Context) -> bool:
    """The gateway's unit, of its user or of another, whose it may have been until now."""
    if listener.get("unit") != service_unit("gateway"):
        return False
    holder = ((context.host or {}).get("gateway") or {}).get("holder")
    users = {holder, context.gateway.user if context.gateway else ""} - {"", None}
    return listener["uid"] == uid or listener.get("user") in users


def _adopted_pids(host: Mapping[str, Any]) -> set[int]:
    """Processes of an installation that is taken over: they make way."""
    return {pid for process in (host.get("adoption") or {}).get("processes", ()) for pid in process["pids"]}


def _port_remedy(listener: Mapping[str, Any]) -> str:
    unit = str(listener.get("unit") or "")
    user = str(listener.get("user", ""))
    if user not in ("", "root") and re.match(r"(openclaw-)?mission-control-", unit):
        own = f"to take that installation over, set {PREFIX}_user to {user}"
        return f"{own}; else stop it, or choose another port"
    return "stop it, or choose another port"


def adoption(context: Context) -> Iterator[Problem]:
    """What is to be taken over; whether, and what about it the inventory has to say."""
    found = (context.host or {}).get("adoption")
    if not found or found["state"] == "done" or not context.runs("backend", "worker", "frontend"):
        return
    if context.flag("adopt", True) is False:
        yield Problem(
            "adoption",
            f"{PREFIX}_adopt",
            message=f"is off, and there is an installation that was set up by hand in {found['tree']}",
            remedy="set it to true to take that over (nothing of it is lost), or move it away",
        )
        return
    for variable, there, otherwise in undecided_addresses(found, context.variables):
        yield Problem(
            "adoption",
            variable,
            message=f"is not set: what was set up by hand has {there}, without it there would be {otherwise}",
            remedy=f"set {variable}: {there} to keep that, or another value to change it",
        )


def undecided_addresses(
    found: Mapping[str, Any], variables: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Addresses by which users and playbooks go: variable, what was found, what it would be otherwise."""
    given = {name: value for name, value in variables.items() if value not in (None, "")}
    base = str(found["settings"].get("BASE_URL", "")).rstrip("/")
    public = str(given.get(f"{PREFIX}_public_url", ""))
    derived = derived_api_url(public, given.get(f"{PREFIX}_backend_port"))
    if base and public and f"{PREFIX}_api_url" not in given and base != derived:
        yield f"{PREFIX}_api_url", base, derived
    for part in ("backend", "frontend"):
        usual = str(PORTS[part])
        place = found["listens"].get(part)
        if not place:
            continue
        if place["port"] != usual and f"{PREFIX}_{part}_port" not in given:
            yield f"{PREFIX}_{part}_port", place["port"], usual
        reach = reachable.reach(place["host"])
        if reach not in (reachable.ANY, reachable.LOOPBACK) and f"{PREFIX}_{part}_bind" not in given:
            yield f"{PREFIX}_{part}_bind", place["host"], IPV4_EVERYWHERE


def service_ports(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    expected = {
        "postgresql": ({"postgres", "postmaster"}, "database_url"),
        "redis": ({"redis-server", "valkey-server"}, "redis_url"),
    }
    for component, (commands, variable) in expected.items():
        number = int(context.get(f"{component}_port", PORTS[component]))
        if not context.runs(component) or context.get(variable, None) is not None:
            continue
        for listener in context.host["listeners"]:
            if listener["port"] == number and listener["command"] and listener["command"] not in commands:
                yield Problem(
                    "service_ports",
                    f"host {context.hostname}",
                    message=f"port {number} is of {listener['command']} (PID {listener['pid']}), not "
                    f"{component}",
                    remedy=f"stop it, or name the server that is to be used in {PREFIX}_{variable}",
                )
                break


def gateway_authority(context: Context) -> Iterator[Problem]:
    """OpenSSL says nothing of a file that is missing: the backend would trust nobody."""
    path = str(context.get("gateway_ca_path"))
    if not path:
        return
    inspected = ((context.host or {}).get("files") or {}).get(path)
    if not path.startswith("/"):
        fault, remedy = "is not an absolute path", "name the file as the backends' hosts know it"
    elif inspected is not None and not inspected["exists"]:
        fault = f"is not there on {context.hostname}"
        remedy = "put the certificate (PEM) of the gateway's authority there, readable for everybody"
    else:
        return
    yield Problem("gateway_authority", f"{PREFIX}_gateway_ca_path", message=fault, remedy=remedy, value=path)


def other_installation(context: Context) -> Iterator[Problem]:
    """A second one would take tasks out of the first one's queue, and its host command away."""
    if context.host is None or not context.runs("backend", "worker", "frontend"):
        return
    user, there = str(context.get("user", "mission-control")), context.host.get("installed_user")
    if there and there != user:
        yield Problem(
            "other_installation",
            f"{PREFIX}_user",
            message=f"is another than {there}, whose Mission Control this host has: two would share the "
            "queue, the servers and the command mission-control",
            remedy=f"name {there}, deploy to a host of its own, or remove that one first "
            f"(playbooks/uninstall.yml -e {PREFIX}_user={there})",
            value=user,
        )


def maintenance(context: Context) -> Iterator[Problem]:
    """A deployment would migrate the database that somebody may be restoring just now."""
    notice = context.host.get("maintenance") if context.host is not None else ""
    if notice and context.get("deploy_in_maintenance", False) not in (True, "true", "True", "yes"):
        yield Problem(
            "maintenance",
            f"host {context.hostname}",
            message=f"is {notice}",
            remedy="wait for its end, or end it (playbooks/maintenance.yml -e state=off); to deploy all "
            f"the same, while users go on seeing its page, set {PREFIX}_deploy_in_maintenance: true",
        )


def disk_space(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    for space in context.spaces:
        found = context.host["disk"].get(space.path)
        if found is None:
            continue
        free, where = found["available_bytes"], found["checked"]
        if free < space.needed:
            yield Problem(
                "disk_space",
                space.variable,
                message=f"has {size(free)} free below {where}, and {size(space.needed)} are needed",
                remedy="make room, or choose another file system",
                value=space.path,
            )
        elif found["total_inodes"] and not found["available_inodes"]:
            # File systems such as btrfs count no inodes and say 0 for both.
            yield Problem(
                "disk_space",
                space.variable,
                message=f"has no inode left below {where}",
                remedy="remove files",
                value=space.path,
            )


def memory(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    found = context.host["memory"]
    total = found["total_bytes"]
    subject = f"host {context.hostname}"
    if context.memory and total < context.memory:
        yield Problem(
            "memory",
            subject,
            message=f"has {size(total)} of memory, and {size(context.memory)} are needed",
            remedy="give it more memory",
        )
    elif context.runs("frontend") and total + found["swap_bytes"] < 1_900_000_000:
        yield Problem(
            "memory",
            subject,
            message=f"has {size(total)} of memory and {size(found['swap_bytes'])} of swap; "
            "building the frontend takes 1.5 GB",
            remedy="add swap for the time of the build",
            warning=True,
        )
