# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules about the host: system, user, Python, ports, room on disk and in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._application.components import PORTS
from ...module_utils._application.settings import derived_api_url
from ...module_utils._durations import size
from ...module_utils._host import addresses
from .model import _FALSE, PREFIX, Context, Problem

_USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


# --- the host ------------------------------------------------------------------------------------


def user(context: Context) -> Iterator[Problem]:
    variable, name = f"{PREFIX}_user", str(context.get("user", "mission-control"))
    inspected = (context.host or {}).get("user") or {}
    if name == "root" or inspected.get("uid") == 0:
        yield Problem(
            "user",
            variable,
            message="is the superuser, and the application must not run as that",
            remedy="name an ordinary user; it is created when missing",
            value=name,
        )
    elif not _USER_NAME.fullmatch(name):
        yield Problem(
            "user",
            variable,
            message="is not a valid user name",
            remedy="use lower-case letters, digits, _ and -, at most 32 of them",
            value=name,
        )
    elif inspected.get("exists") and inspected.get("system"):
        yield Problem(
            "user",
            variable,
            message=f"is a system account (UID {inspected.get('uid')}), and journalctl --user shows nothing "
            "of such",
            remedy="name an ordinary user (UID 1000 or above) if that matters",
            value=name,
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
            if listener["pid"] in adopted:
                continue
            holder = listener["command"] or "a process"
            whose = f"{holder} (PID {listener['pid']}, user {listener.get('user', listener['uid'])})"
            unit = f" of {listener['unit']}" if listener.get("unit") else ""
            yield Problem(
                "ports_free",
                port.variable,
                message=f"is held by {whose}{unit}",
                remedy=_port_remedy(listener),
                value=str(port.number),
            )
            break


def _is_ours(listener: Mapping[str, Any], uid: int | None) -> bool:
    """A unit of this deployment, or the user's manager, which holds the sockets of socket units."""
    if uid is None or listener["uid"] != uid:
        return False
    unit = listener.get("unit") or ""
    own = unit.startswith(("mission-control-", "openclaw-mission-control-"))
    return own or listener["command"] == "systemd"


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
    if str(context.get("adopt", True)).lower() in _FALSE:
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
    derived = derived_api_url(public)
    if base and public and f"{PREFIX}_api_url" not in given and base != derived:
        yield f"{PREFIX}_api_url", base, derived
    for part in ("backend", "frontend"):
        usual = str(PORTS[part])
        place = found["listens"].get(part)
        if not place:
            continue
        if place["port"] != usual and f"{PREFIX}_{part}_port" not in given:
            yield f"{PREFIX}_{part}_port", place["port"], usual
        reach = addresses.reach(place["host"])
        if reach not in (addresses.ANY, addresses.LOOPBACK) and f"{PREFIX}_{part}_bind" not in given:
            yield f"{PREFIX}_{part}_bind", place["host"], addresses.IPV4_EVERYWHERE


def service_ports(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    expected = {
        "postgresql": (PORTS["postgresql"], {"postgres", "postmaster"}, "database_url"),
        "redis": (PORTS["redis"], {"redis-server", "valkey-server"}, "redis_url"),
    }
    for component, (number, commands, variable) in expected.items():
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
