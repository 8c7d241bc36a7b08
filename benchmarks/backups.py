#!/usr/bin/env python3
"""Measure backups of made-up rows against bare `pg_dump | restic` and `pg_restore`.

Boots a sandbox host of its own from the snapshot that `make molecule SCENARIO=default` leaves, fills its
database, and destroys it at the end. Memory is that of the largest process; the processor's time does not
hold PostgreSQL's own. Answers to users of the application are timed while a backup runs and while none does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from sandbox_host import DIRECTORY, sandbox_hosts

# What is measured against its bare counterpart, at most so many times.
TARGET = 1.2
TARGETS = {"an answer during a backup": 1.1}
# Seconds of the processor beside restic and pg_dump.
AT_REST, AT_REST_TARGET = "the timer's run at rest", 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024, help="of rows")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="leave the host as it is")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    with sandbox_hosts("backups", keep=options.keep) as (host,):
        host.module("host_command", {"user": "mission-control"})
        told = host.shell(f"exec python3 {DIRECTORY}/backups.py {options.megabytes} {options.rounds}\n")
        document = json.loads(told.splitlines()[-1])
        for _round in range(options.rounds):
            began = time.monotonic()
            host.module("backup_restore", {"parts": ["database"]})
            document["found"].append(
                {"name": "a restoration", "seconds": round(time.monotonic() - began, 2), "processor": 0.0}
            )
            began = time.monotonic()
            host.shell(
                "cd /; runuser -u postgres -- createdb bare\n"
                "restic --quiet --repo=/var/backups/benchmark "
                "--password-file=/var/lib/mission-control/backup/password dump latest /dump "
                "| runuser -u postgres -- pg_restore --no-owner --no-privileges --dbname=bare\n"
            )
            document["found"].append(
                {
                    "name": "a restoration, bare",
                    "seconds": round(time.monotonic() - began, 2),
                    "processor": 0.0,
                }
            )
            host.module("backup_restore", {"state": "returned"})
            host.shell("cd /; runuser -u postgres -- dropdb bare\n")
    return show(document, options.json)


def show(document: dict[str, object], path: Path | None) -> int:
    found: list[dict[str, object]] = document["found"]  # type: ignore[assignment]
    names = list(dict.fromkeys(str(figure["name"]) for figure in found))
    medians: dict[str, float] = {}
    print(f"{'':34} {'seconds':>8} {'CPU':>8} {'MB':>6}")
    for name in names:
        figures = [figure for figure in found if figure["name"] == name]
        columns = [
            statistics.median(float(str(figure.get(column) or 0)) for figure in figures)
            for column in ("seconds", "processor", "megabytes")
        ]
        medians[name] = columns[0]
        print(f"{name:34} {columns[0]:8.3g} {columns[1]:8.1f} {columns[2]:6.0f}")
    print(
        f"database {document['database']} MB, repository {document['repository']} MB after the first backup, "
    )
    print(f"{document['grown']} MB more after the unchanged ones")
    missed = 0
    for name in names:
        if f"{name}, bare" in medians:
            ratio, target = medians[name] / medians[f"{name}, bare"], TARGETS.get(name, TARGET)
            missed += ratio > target
            print(f"{name}: {ratio:.2f} times, at most {target}: {'met' if ratio <= target else 'MISSED'}")
    own = statistics.median(float(str(figure["own"])) for figure in found if figure["name"] == AT_REST)
    missed += own > AT_REST_TARGET
    print(
        f"{AT_REST}: {own:.2f} s of the processor beside restic and pg_dump, at most {AT_REST_TARGET:g}: "
        f"{'met' if own <= AT_REST_TARGET else 'MISSED'}"
    )
    if path:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
