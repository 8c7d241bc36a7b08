#!/usr/bin/env python3
"""Measure what the front door adds to a request, against the backend's own port, both on loopback.

Runs on the sandbox's host (`make sandbox` first), on which it installs wrk from Debian. Rounds ask both ways
in turn; the figures are medians of milliseconds (one connection) and requests a second (sixteen).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

import sandbox_host
from sandbox_host import DIRECTORY, HELPERS, ROOT, Host

# An answer of the product's own, without its database: what is added shows most.
PATH = "/healthz"
# Milliseconds that a request may take longer, and the share of the direct throughput that has to be left.
ADDED, SHARE = 1.0, 0.7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="that each of a round's four runs takes")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()

    host = Host("mission-control", ROOT / "inventory" / "sandbox")
    argv = [str(sandbox_host.PROGRAMS / "ansible-inventory"), "-i", str(host.inventory), "--host", host.name]
    address = json.loads(sandbox_host.run(argv, cwd=ROOT))["ansible_host"]
    host.install("wrk")
    host.copy(HELPERS / "front_door.py")
    words = f"{options.rounds} {options.seconds} https://{address} {PATH}"
    found = json.loads(host.shell(f"exec python3 {DIRECTORY}/front_door.py {words}\n"))

    print(f"{'':28} {'direct':>9} {'door':>9}")
    medians = {}
    for name, unit in (("latency", "ms"), ("rate", "requests/s")):
        medians[name] = {way: statistics.median(figures) for way, figures in found[name].items()}
        print(f"{f'{name}, {unit}':28} {medians[name]['direct']:9.2f} {medians[name]['door']:9.2f}")
    added = medians["latency"]["door"] - medians["latency"]["direct"]
    share = medians["rate"]["door"] / medians["rate"]["direct"]
    missed = 0
    for told, met in (
        (f"a request takes {added:.2f} ms longer, at most {ADDED:g}", added <= ADDED),
        (f"{share:.2f} of the direct throughput, at least {SHARE:g}", share >= SHARE),
        (f"{found['resumed']} of 10 handshakes resumed", found["resumed"] == 10),
    ):
        print(f"{told}: {'met' if met else 'MISSED'}")
        missed += not met
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
