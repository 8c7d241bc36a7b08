# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection of our own to a gateway, from the backend's host: whether it is the gateway that hangs.

The backend waits for its gateway about as long as a check waits for the backend. So who asks the backend
alone cannot tell which of the two does not answer.
"""

from __future__ import annotations

import contextlib
import errno
import shlex
import socket
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from .._application.components import SETTLES, service_unit
from .._cures import WAITING, let_go, restart
from .._host.listeners import listeners
from .._host.proc_files import STOPPED
from .._host.written_addresses import bare, in_url
from .context import Problem

# Seconds. Asked for its health a gateway answers within milliseconds; while it starts it does nothing else
# for up to five seconds.
PATIENCE = 3.5

ANSWERS, SILENT, DROPPED, REFUSED, UNKNOWN = "answers", "silent", "dropped", "refused", "unknown"


class Look(NamedTuple):
    """What came of a connection."""

    kind: str  # one of those above
    seconds: float
    error: str = ""


def look_at(url: str, patience: float = PATIENCE) -> Look:
    """Connect, and ask for the gateway's health. Whatever is answered counts; nothing secret is sent.

    :param url: ws:// or wss://, as the gateway is registered.
    :param patience: seconds for all of it.
    """
    started = time.monotonic()
    parts = urlsplit(url)
    encrypted = parts.scheme in ("wss", "https")
    host, port = bare(parts.hostname or ""), parts.port or (443 if encrypted else 80)

    def end(kind: str, error: Exception | None = None) -> Look:
        return Look(kind, time.monotonic() - started, "" if error is None else str(error))

    try:
        connection = socket.create_connection((host, port), patience)
    except TimeoutError as error:
        return end(DROPPED, error)
    except ConnectionRefusedError as error:
        return end(REFUSED, error)
    except OSError as error:
        # Names, routes: the backend meets the same, at once, and says which.
        return end(UNKNOWN, error)
    try:
        with contextlib.closing(connection):
            connection.settimeout(max(0.1, patience - (time.monotonic() - started)))
            if encrypted:
                connection = _encrypted(connection, host)
            connection.sendall(
                f"GET /health HTTP/1.1\r\nHost: {in_url(host)}:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            connection.recv(1)
    except TimeoutError as error:
        return end(SILENT, error)
    except OSError as error:
        # It closed, or speaks another protocol: that is an answer.
        return end(ANSWERS, error)
    return end(ANSWERS)


def _encrypted(plain: socket.socket, host: str) -> socket.socket:
    """TLS for nothing but to see that it answers: whom to trust is the backend's business."""
    import ssl

    settings = ssl.create_default_context()
    settings.check_hostname, settings.verify_mode = False, ssl.CERT_NONE
    return settings.wrap_socket(plain, server_hostname=host)


def is_own(host: str) -> bool:
    """Whether an address or name is one of this host."""
    try:
        found = socket.getaddrinfo(bare(host), 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    for family, kind, _protocol, _name, address in found:
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((address[0], 0))
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.EACCES):
                    return False
            return True
    return False


class Owner(NamedTuple):
    """Who listens on a port of this host."""

    pid: int
    command: str
    unit: str
    state: str
    age: float


def owner_of(url: str, now: float) -> Owner | None:
    """The process that a URL leads to; None where it is elsewhere, or cannot be seen."""
    parts = urlsplit(url)
    if not parts.port or not is_own(parts.hostname or ""):
        return None
    for listener in listeners(ports=[parts.port]):
        if listener.pid is not None and listener.state:
            unit = (listener.unit or "").removesuffix(".service")
            return Owner(listener.pid, listener.command, unit, listener.state, now - listener.started)
    return None


def problem_of(url: str, look: Look, owner: Owner | None) -> Problem | None:
    """What a connection of our own says against a gateway; None where it says nothing.

    :param url: of the gateway.
    :param owner: of its port, where that is on this host.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    evidence = {"gateway_url": url, "own_connection": look.kind, "seconds": round(look.seconds, 1)}
    if owner is not None:
        evidence |= {"pid": owner.pid, "command": owner.command, "unit": owner.unit, "state": owner.state}
    if look.kind == DROPPED:
        return Problem(
            "gateway_dropped",
            f"{url}: no connection within {look.seconds:.1f} s; packets to port {port} are dropped",
            cause="A firewall drops what is sent to the gateway, or its host is down. The backend waits for "
            "it and is not to blame."
            + ("" if owner is None else f" It listens there: {owner.command} ({owner.pid})."),
            remedy=f"On the gateway's host ({host}): see that it listens (ss -ltn 'sport = :{port}') and "
            f"let port {port} through its firewall (nft list ruleset; iptables -S INPUT). From the backend's "
            f"host: nc -zvw 3 -- {shlex.quote(host)} {port}",
            evidence=evidence,
        )
    if look.kind != SILENT:
        return None
    who = f"{owner.unit or owner.command} (process {owner.pid})" if owner is not None else f"what is at {url}"
    if owner is not None and owner.state in STOPPED:
        return Problem(
            "gateway_hung",
            f"{url}: takes connections and does not answer: {who} is stopped by a signal",
            cause=f"The gateway's process ({owner.pid}) was sent SIGSTOP, or a debugger holds it. The "
            "backend waits for it and is not to blame.",
            remedy=f"kill -CONT {owner.pid}, or: mission-control restart gateway",
            cure=let_go(owner.pid),
            evidence=evidence,
        )
    if owner is not None and owner.age < SETTLES["gateway"]:
        return Problem(
            "gateway_starting",
            f"{url}: was started {owner.age:.0f} s ago and does not answer yet",
            cause="The gateway has just been started, and does nothing else until it is ready.",
            remedy="Wait some seconds (deadline).",
            cure=WAITING,
            evidence=evidence,
        )
    return Problem(
        "gateway_hung",
        f"{url}: takes connections and does not answer ({look.seconds:.1f} s)",
        cause=f"The gateway hangs or is overloaded: {who}. The backend waits for it and is not to blame.",
        remedy=f"On the gateway's host ({host}): mission-control restart gateway; what it did last: "
        "mission-control logs gateway",
        cure=restart(service_unit("gateway")),
        evidence=evidence,
    )


def unanswered(url: str, look: Look | None, timeout: float) -> Problem:
    """The backend answers others and not the one question that it needs its gateway for."""
    known = (
        f"The gateway ({url}) answers a connection of our own within {look.seconds:.1f} s."
        if look is not None and look.kind == ANSWERS
        else f"Whether the gateway {url or ''} answers was not seen from here."
    )
    return Problem(
        "gateway_unanswered",
        f"the backend did not say within {timeout:g} s how its gateway is, and answers other questions",
        cause=f"The backend as a whole does not hang: it answers /healthz. {known} So one of the "
        "gateway's own calls hangs, or is slow.",
        remedy="See what both logged meanwhile: mission-control logs backend gateway. If the gateway is just "
        "slow, raise timeout (verify_timeout); else: mission-control restart gateway",
        evidence={"gateway_url": url, "own_connection": look.kind if look is not None else "none"},
    )
