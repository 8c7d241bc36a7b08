"""On the host: restore points, drills and restorations of made-up rows, and the same by bare programs."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

from users import answers

REPOSITORY = "/var/backups/benchmark"
KEPT = "/var/lib/mission-control/backup"
RESTIC = f"restic --quiet --repo={REPOSITORY} --password-file={KEPT}/password"
PSQL = "cd /; runuser -u postgres -- psql --no-psqlrc --quiet --tuples-only --no-align --dbname="


def measured(name: str, command: str) -> dict[str, object]:
    """Seconds, seconds of the processor (not PostgreSQL's), and the most memory of one of its processes.

    `own` is the processor's without what restic and pg_dump have spent, as far as it was seen.
    """
    stop, most = threading.Event(), [0]
    others: dict[int, float] = {}
    process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", command])

    def watch() -> None:
        while not stop.wait(0.02):
            pids = family(process.pid)
            most[0] = max(most[0], *(memory(pid) for pid in pids), 0)
            others.update(spent_by_others(pids))

    watcher = threading.Thread(target=watch)
    began = time.monotonic()
    watcher.start()
    _pid, status, usage = os.wait4(process.pid, 0)
    spent = time.monotonic() - began
    stop.set()
    watcher.join()
    if status:
        sys.exit(f"{name} failed: {command}")
    return {
        "name": name,
        "seconds": round(spent, 2),
        "processor": round(usage.ru_utime + usage.ru_stime, 2),
        "own": round(usage.ru_utime + usage.ru_stime - sum(others.values()), 2),
        "megabytes": most[0] >> 10,
    }


def family(pid: int) -> list[int]:
    found, at = [pid], 0
    while at < len(found):
        with contextlib.suppress(OSError):
            found += [
                int(child)
                for task in Path(f"/proc/{found[at]}/task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        at += 1
    return found


def spent_by_others(pids: list[int]) -> dict[int, float]:
    """Seconds of the processor of the programs that a bare backup has, too."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            name, _parenthesis, rest = (
                Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(") ")
            )
            if name in ("restic", "pg_dump"):
                user, system = rest.split()[11:13]
                found[pid] = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return found


def memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def shell(command: str) -> str:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, check=True
    ).stdout.strip()


def fill(megabytes: int) -> None:
    """Rows of about 400 bytes: half of it words that compress, half that does not."""
    rows = megabytes * 2600
    query = (
        "DROP TABLE IF EXISTS made_up; CREATE TABLE made_up AS SELECT g AS id, "  # noqa: S608 (a number)
        "md5(g::text) || md5((g * 7)::text) || md5((g * 13)::text) AS digest, "
        "repeat('a task that somebody has written down, ', 6) || g AS words, now() AS written "
        f"FROM generate_series(1, {rows}) g; ALTER TABLE made_up OWNER TO mission_control; "
        "ALTER TABLE made_up ADD PRIMARY KEY (id); ANALYZE made_up"
    )
    shell(f"{PSQL}mission_control --command={shlex.quote(query)}")
    # Who reads them first writes which of them are to be seen: nobody is measured with that.
    shell(f"{PSQL}mission_control --command='VACUUM ANALYZE made_up'")


def size(path: str) -> int:
    return int(shell(f"du -sm {path} | cut -f1"))


def main() -> None:
    megabytes, rounds = int(sys.argv[1]), int(sys.argv[2])
    shell("mission-control backup")
    at_rest = [
        measured("the timer's run at rest", "mission-control backup --scheduled >/dev/null")
        for _round in range(rounds)
    ]
    fill(megabytes)
    own = json.loads(Path("/etc/mission-control/backup.json").read_text())["repository"]
    shell(f"rm -rf {REPOSITORY}; {RESTIC} init")
    dump = "cd /; runuser -u postgres -- pg_dump --format=custom --compress=0 mission_control"
    bare = f"{dump} | {RESTIC} backup --stdin --stdin-filename=dump"
    scratch = "cd /; runuser -u postgres --"
    restore = (
        f"{scratch} createdb bare; {RESTIC} dump latest /dump | "
        f"{scratch.removeprefix('cd /; ')} pg_restore --no-owner --no-privileges --dbname=bare"
    )
    # Nobody is the first one to read.
    shell(f"{dump} >/dev/null; sync")
    found = [
        *at_rest,
        measured("a first backup", "mission-control backup >/dev/null"),
        measured("a first backup, bare", bare),
    ]
    before = size(own)
    for _round in range(rounds):
        found += [
            measured("an unchanged backup", "mission-control backup >/dev/null"),
            measured("an unchanged backup, bare", f"{bare}; {RESTIC} forget --prune --keep-last=3"),
        ]
    grown = size(own) - before
    for _round in range(rounds):
        found += [
            measured("a drill", "mission-control backup --drill >/dev/null"),
            measured("a drill, bare", f"{RESTIC} check --read-data; {restore}"),
        ]
        shell(f"{scratch} dropdb bare")
    tables = int(
        shell(f"{PSQL}mission_control --command=\"SELECT pg_database_size('mission_control') >> 20\"")
    )
    found += answers(rounds)
    shell("mission-control backup")
    print(json.dumps({"found": found, "grown": grown, "repository": before, "database": tables}))


if __name__ == "__main__":
    main()
