#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prints journal entries of the services in the journal's export format: journal.py LINES BEGIN SECONDS UID.

They lie evenly between BEGIN and SECONDS later and look like what the services log: access lines of
uvicorn, the product's text and JSON formats, Next.js, and in every thousand an error with its traceback.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

UNITS = ("mission-control-backend", "mission-control-worker", "mission-control-frontend")
TRACEBACK = (
    "ERROR:    Exception in ASGI application",
    "Traceback (most recent call last):",
    '  File "/srv/app/api/metrics.py", line {number}, in dashboard',
    "    rows = await session.execute(statement)",
    "sqlalchemy.exc.OperationalError: connection {number} was closed",
)


def lines() -> Iterator[tuple[str, str]]:
    number = 0
    while True:
        for _ in range(199):
            number += 1
            path = f"/api/v1/agents?limit=200&offset={number % 5000}"
            yield UNITS[0], f'INFO:     127.0.0.1:{40000 + number % 20000} - "GET {path} HTTP/1.1" 200 OK'
            yield UNITS[0], f"2026-04-02 10:11:12,{number % 1000:03} INFO app.api request.done id={number}"
            entry = {"level": "INFO", "logger": "app.worker", "message": f"task {number}", "ms": number % 90}
            yield UNITS[1], json.dumps(entry)
            yield UNITS[1], f"2026-04-02 10:11:12,{number % 1000:03} DEBUG app.queue waiting {number % 7}"
            yield UNITS[2], f" ✓ Compiled /page-{number % 40} in {number % 900}ms"
        for line in TRACEBACK:
            yield UNITS[0], line.format(number=number)


def main() -> None:
    count, begin, seconds, uid = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")
    write = sys.stdout.buffer.write
    for index, (unit, message) in zip(range(count), lines(), strict=False):
        offset = int(index * seconds * 1_000_000 / count)
        write(
            f"__REALTIME_TIMESTAMP={int(begin * 1_000_000) + offset}\n__MONOTONIC_TIMESTAMP={1 + offset}\n"
            f"_BOOT_ID={boot}\n_UID={uid}\n_PID={1000 + len(unit)}\nPRIORITY=6\nSYSLOG_IDENTIFIER={unit}\n"
            f"_SYSTEMD_USER_UNIT={unit}.service\nMESSAGE={message}\n\n".encode()
        )


if __name__ == "__main__":
    main()
