# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Serves an ASGI application with uvicorn under systemd's Type=notify.

systemd is told when the application's start-up is finished, that its event loop still turns (watchdog) and
that it stops. So `systemctl --user restart` returns when requests are answered, or fails. A socket handed
over by a socket unit is used, so that a restart refuses no connection. Without systemd it is an ordinary
server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn

FIRST_DESCRIPTOR = 3
STARTUP_FAILURE = 3
DRAIN_SECONDS = 0.2


def notify(message: str) -> None:
    """Tell systemd something; without systemd nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.connect(address)
            channel.sendall(message.encode())
        except OSError as error:
            print(f"systemd cannot be told {message.splitlines()[0]}: {error}", file=sys.stderr)


def ask_directly() -> None:
    """Keep what is local, and our own other hosts, from a proxy that the host's environment names."""
    ours = os.environ.get("MISSION_CONTROL_DIRECT", "")
    theirs = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    text = ",".join(dict.fromkeys(part for part in (*theirs.split(","), *ours.split(",")) if part))
    if ours:
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = text


def handed_over() -> list[socket.socket]:
    """The listening sockets that systemd opened for this process."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    sockets = [socket.socket(fileno=FIRST_DESCRIPTOR + number) for number in range(count)]
    for listener in sockets:
        os.set_inheritable(listener.fileno(), False)
    return sockets


def watchdog_interval() -> float | None:
    """Seconds between two signs of life: a third of what systemd allows."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    if not microseconds or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 3_000_000


class Server(uvicorn.Server):
    """uvicorn's server, on speaking terms with systemd."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._interval = watchdog_interval()
        self._due = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            notify("READY=1\nSTATUS=Serving requests")

    async def on_tick(self, counter: int) -> bool:
        now = time.monotonic()
        if self._interval is not None and now >= self._due:
            self._due = now + self._interval
            notify("WATCHDOG=1")
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        notify("STOPPING=1\nSTATUS=Finishing open requests")
        # Accept nothing more: from here on connections wait in the socket unit for the next process. Those
        # accepted a moment ago may not have sent their request yet; closing them would fail it.
        for server in self.servers:
            server.close()
        await asyncio.sleep(DRAIN_SECONDS)
        await super().shutdown(sockets=sockets)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Serve an ASGI application under systemd.")
    parser.add_argument("application", help="module:attribute")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--grace", type=int, default=20, help="seconds that open requests may take after the end is asked for"
    )
    options = parser.parse_args(arguments)
    ask_directly()
    # Beside the application, not beside this file, is where modules are looked for.
    sys.path[0] = str(Path.cwd())
    settings: dict[str, Any] = {
        "host": options.host,
        "port": options.port,
        "timeout_graceful_shutdown": options.grace,
    }
    # By itself uvicorn believes 127.0.0.1 alone what scheme a request came by. With a proxy at ::1 or on
    # another host, which the application believes, links would begin with http.
    if proxies := os.environ.get("FORWARDED_ALLOW_IPS") or os.environ.get("TRUSTED_PROXIES"):
        settings["forwarded_allow_ips"] = proxies
    server = Server(uvicorn.Config(options.application, **settings))
    sockets = handed_over()
    server.run(sockets=sockets or None)
    return 0 if server.started else STARTUP_FAILURE


if __name__ == "__main__":
    sys.exit(main())
