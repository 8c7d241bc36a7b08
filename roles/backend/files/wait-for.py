# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waits for the database or Redis before a service starts: a user unit cannot be ordered after a system unit.

usage: wait-for.py [--timeout SECONDS] database|redis ...

The addresses come from DATABASE_URL and RQ_REDIS_URL. The database counts as there when its port accepts a
connection, because the service itself finds out the rest; Redis when it answers PING, because a worker
without it would spin.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
import urllib.parse
from collections.abc import Callable


def database() -> str:
    """Empty when the server accepts connections, else the reason."""
    parts = urllib.parse.urlsplit(os.environ.get("DATABASE_URL", ""))
    query = urllib.parse.parse_qs(parts.query)
    host = parts.hostname or query.get("host", ["localhost"])[0]
    port = parts.port or int(query.get("port", ["5432"])[0])
    try:
        if host.startswith("/"):
            with socket.socket(socket.AF_UNIX) as channel:
                channel.settimeout(3)
                channel.connect(f"{host}/.s.PGSQL.{port}")
        else:
            socket.create_connection((host, port), timeout=3).close()
    except OSError as error:
        return f"PostgreSQL at {host}:{port}: {error.strerror or error}"
    return ""


def redis() -> str:
    """Empty when Redis answers, else the reason."""
    from redis import Redis
    from redis.exceptions import RedisError

    url = os.environ.get("RQ_REDIS_URL", "redis://localhost:6379/0")
    place = urllib.parse.urlsplit(url)
    try:
        with Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except (RedisError, OSError) as error:
        where = place.path if place.scheme == "unix" else f"{place.hostname}:{place.port or 6379}"
        return f"Redis at {where}: {error}"
    return ""


PROBES: dict[str, Callable[[], str]] = {"database": database, "redis": redis}


def wait(
    names: list[str],
    timeout: float,
    probes: dict[str, Callable[[], str]] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """The reasons of those that did not come up in time."""
    ask = PROBES if probes is None else probes
    deadline = clock() + timeout
    while True:
        reasons = [reason for name in names if (reason := ask[name]())]
        if not reasons or clock() >= deadline:
            return reasons
        sleep(0.5)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Wait for what a service needs.")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("names", nargs="+", choices=sorted(PROBES))
    options = parser.parse_args(arguments)
    reasons = wait(options.names, options.timeout)
    for reason in reasons:
        print(f"Not there after {options.timeout:g} s: {reason}", file=sys.stderr)
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main())
