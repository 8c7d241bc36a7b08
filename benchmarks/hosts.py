#!/usr/bin/env python3
"""Measure what a further host costs: verify and a lone ping on 1, 4 and 10 hosts.

Boots four sandbox hosts from the snapshot that `make molecule SCENARIO=default` leaves, and destroys them in
the end. More than those are further names of the same hosts, with a connection each. Controller and
hosts share this machine's cores: what holds elsewhere is the controller's CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from sandbox_host import PROGRAMS, ROOT, Host, sandbox_hosts

COUNTS = (1, 4, 10)
PLAYBOOKS = {
    "ping": ROOT / "benchmarks" / "playbooks" / "ping.yml",
    "verify": ROOT / "benchmarks" / "playbooks" / "verify_host_only.yml",
}


def inventory(hosts: list[Host], directory: Path) -> Path:
    """As many names as the largest count, each with a control socket of its own."""
    listed = yaml.safe_load(hosts[0].inventory.read_text(encoding="utf-8"))["all"]["hosts"]
    named: dict[str, Any] = {}
    for number in range(COUNTS[-1]):
        name = f"name{number}"
        socket = f"-o ControlMaster=auto -o ControlPersist=2s -o ControlPath={directory}/{name}"
        named[name] = listed[hosts[number % len(hosts)].name] | {"ansible_ssh_args": socket}
    path = directory / "names.yml"
    path.write_text(yaml.safe_dump({"mission_control": {"hosts": named}}), encoding="utf-8")
    return path


def keep_address(host: Host) -> str:
    """Where it was deployed, which stays its own address: the public URL."""
    return host.shell(
        "url=$(sed -n 's/^CORS_ORIGINS=//p' /home/mission-control/mission-control/current/backend/.env)\n"
        "address=${url#http://}\n"
        'ip address replace "${address%:*}/32" dev lo\n'
        'echo "$url"\n'
    ).strip()


def play(
    playbook: Path, names: Path, count: int, forks: int, variables: dict[str, Any]
) -> tuple[float, float]:
    """Seconds, and the controller's CPU time, of one run over cold connections."""
    environment = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORKS": str(forks)}
    limit = ",".join(f"name{number}" for number in range(count))
    argv = [
        str(PROGRAMS / "ansible-playbook"),
        "-i",
        str(names),
        "--limit",
        limit,
        "-e",
        json.dumps(variables),
        str(playbook),
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    answer = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    if answer.returncode:
        sys.exit(f"{playbook.name} failed:\n{answer.stdout[-3000:]}\n{answer.stderr[-1000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--hosts", type=int, default=4, help="how many are booted; the others are further names"
    )
    parser.add_argument("--forks", type=int, default=10)
    parser.add_argument("--keep", action="store_true", help="leave the hosts as they are")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()

    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with (
        sandbox_hosts(*(f"h{number}" for number in range(options.hosts)), keep=options.keep) as hosts,
        tempfile.TemporaryDirectory(prefix="hosts") as directory,
    ):
        names = inventory(hosts, Path(directory))
        variables = {"verify_fail_on": "never"}
        for host in hosts:
            variables["mission_control_public_url"] = keep_address(host)
        for number in range(options.rounds + 1):
            for count in COUNTS:
                for name, playbook in PLAYBOOKS.items():
                    taken = play(playbook, names, count, options.forks, variables)
                    # The first round warms caches and does not count.
                    if number:
                        found.setdefault((name, count), []).append(taken)
    print(
        f"forks {options.forks}; medians of {options.rounds} rounds; seconds, and the controller's CPU time"
    )
    print(f"{'playbook':10} {'hosts':>6} {'seconds':>9} {'per added':>10} {'CPU':>8} {'per added':>10}")
    rows = []
    for name in PLAYBOOKS:
        before: tuple[int, float, float] | None = None
        for count in COUNTS:
            seconds, cpu = (statistics.median(column) for column in zip(*found[name, count], strict=True))
            added = ("", "")
            if before:
                more = count - before[0]
                added = (f"{(seconds - before[1]) / more:.2f}", f"{(cpu - before[2]) / more:.2f}")
            print(f"{name:10} {count:>6} {seconds:>9.2f} {added[0]:>10} {cpu:>8.2f} {added[1]:>10}")
            rows.append({"playbook": name, "hosts": count, "seconds": seconds, "cpu": cpu})
            before = (count, seconds, cpu)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
