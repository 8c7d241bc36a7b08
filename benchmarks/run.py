#!/usr/bin/env python3
"""Measure the playbooks against a lone ping play, interleaved within one run, and compare with the targets.

Runs against the sandbox's host (`make sandbox` first). Figures are medians of wall-clock seconds; on a noisy
machine only the ratios mean something, which is why every round runs every candidate once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLAYBOOKS = ROOT / "benchmarks" / "playbooks"


@dataclass
class Candidate:
    """A playbook, and how many times the ping play it may take (None: a figure without a target)."""

    name: str
    playbook: Path
    target: float | None = None
    arguments: tuple[str, ...] = ()
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


CANDIDATES = (
    Candidate("ping", PLAYBOOKS / "ping.yml"),
    Candidate("verify, from the host", PLAYBOOKS / "verify_host_only.yml", 1.35),
    Candidate("the same as uri and command tasks", PLAYBOOKS / "verify_with_core_modules.yml"),
    Candidate("verify.yml (host and controller)", ROOT / "playbooks" / "verify.yml"),
    Candidate("deploy.yml, nothing to do", ROOT / "playbooks" / "deploy.yml", 10),
    Candidate("status.yml", ROOT / "playbooks" / "status.yml", 2),
    Candidate("restart.yml --check", ROOT / "playbooks" / "restart.yml", 2, ("--check",)),
)


def play(candidate: Candidate, inventory: str) -> float:
    """Run once over a cold connection; return the seconds it took."""
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        # A control path of its own for every run: no play finds a connection that another one opened.
        ssh = f"-o ControlMaster=auto -o ControlPersist=2s -o ControlPath={directory}/%h"
        command = ["ansible-playbook", "-i", inventory, "-e", json.dumps({"ansible_ssh_args": ssh})]
        start = time.monotonic()
        answer = subprocess.run(
            [*command, *candidate.arguments, str(candidate.playbook)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - start
    if answer.returncode != 0:
        sys.exit(f"{candidate.name} failed:\n{answer.stdout[-3000:]}\n{answer.stderr[-1000:]}")
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inventory", default="inventory/sandbox")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()

    candidates = [candidate for candidate in CANDIDATES if candidate.playbook.exists()]
    for number in range(options.rounds + 1):
        for candidate in candidates:
            seconds = play(candidate, options.inventory)
            # The first round warms caches on both sides and does not count.
            if number:
                candidate.seconds.append(seconds)
        print(f"round {number} of {options.rounds}", file=sys.stderr)

    ping = candidates[0].median
    missed = 0
    print(f"{'playbook':36} {'median':>8} {'min':>8} {'max':>8} {'x ping':>8}  target")
    for candidate in candidates:
        ratio = candidate.median / ping
        verdict = ""
        if candidate.target is not None:
            met = ratio <= candidate.target
            missed += not met
            verdict = f"<= {candidate.target:g}: {'met' if met else 'MISSED'}"
        print(
            f"{candidate.name:36} {candidate.median:8.2f} {min(candidate.seconds):8.2f}"
            f" {max(candidate.seconds):8.2f} {ratio:8.2f}  {verdict}"
        )
    if options.json:
        options.json.write_text(json.dumps({c.name: c.seconds for c in candidates}, indent=2) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
