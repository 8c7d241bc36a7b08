#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""On the host: rounds of wrk against the backend's own port and through the door; prints JSON.

Arguments: the number of rounds, seconds of each, the door's https address, the path that is asked.
Each round asks both ways, one after the other: with one connection for the latency, with many for the
throughput. "resumed" is how many of ten further handshakes were shortened by a session of the first.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import sys
from urllib.parse import urlsplit

MANY = 16
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
BACKEND = "http://127.0.0.1:8000"


def wrk(url: str, connections: int, seconds: int) -> tuple[float, float]:
    """The median latency in milliseconds, and requests a second; nothing else than success is counted."""
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    latency = re.search(r"50%\s+([\d.]+)(us|ms|s)\b", told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if not latency or not rate or "Non-2xx" in told or "Socket errors" in told:
        sys.exit(f"{url}:\n{told}")
    return float(latency[1]) * UNITS[latency[2]], float(rate[1])


def resumed(address: str, times: int = 10) -> int:
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or 443
    context = ssl.create_default_context()
    # Whether it is believed is not what is measured.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session: ssl.SSLSession | None = None
    found = 0
    for _ in range(times + 1):
        plain = socket.create_connection((host, port), 10)
        with context.wrap_socket(plain, server_hostname=host, session=session) as connection:
            found += bool(connection.session_reused)
            connection.sendall(f"HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            # The session of TLS 1.3 comes with the answer.
            while connection.recv(65536):
                pass
            session = connection.session
    return found


def main() -> None:
    rounds, seconds, address, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    ways = {"direct": BACKEND + path, "door": address + path}
    latency: dict[str, list[float]] = {way: [] for way in ways}
    rate: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, url in ways.items():
            one, many = wrk(url, 1, seconds), wrk(url, MANY, seconds)
            # The first round warms up.
            if number:
                latency[way].append(one[0])
                rate[way].append(many[1])
    print(json.dumps({"latency": latency, "rate": rate, "resumed": resumed(address)}))


if __name__ == "__main__":
    main()
