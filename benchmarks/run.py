#!/usr/bin/env python3
"""Measure the playbooks against a lone ping play, interleaved within one run, and compare with the targets.

Runs against the sandbox's host (`make sandbox` first). Figures are medians of wall-clock seconds; on a noisy
machine only the ratios mean something, which is why every round runs every candidate once. Among them are the
deployment of a release in which only the backend's code differs, and the way back from it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLAYBOOKS = ROOT / "benchmarks" / "playbooks"
APPLICATION = ROOT / ".cache" / "reference_application"
DEPLOYED = "/home/mission-control/mission-control"
# What a file system adds to files: directories, and blocks that are not full.
SLACK = 2 << 20
VERIFY = "verify, all checks from the host"
CORE = "the same as uri and command tasks"
# What verify may take of the time of the same checks as tasks of core modules.
SHARE = 0.2
UNCHANGED = "deploy.yml, nothing to do"
WITHOUT = "deploy.yml, nothing to do, no gateway"
DOORLESS = "deploy.yml, nothing to do, no front door"
# What an unchanged deployment may take longer for what it has besides another, in seconds.
ADDITIONS = (("gateway", WITHOUT, 2.0), ("front door", DOORLESS, 0.6))
# Everything but the gateway: to be deployed, registered and known to the host command.
NO_GATEWAY = {
    "common_components": ["postgresql", "redis", "backend", "worker", "frontend"],
    "command_services": ["backend", "worker", "frontend"],
    "gateway_registrations": [],
    "gateway_boards": [],
}
# Everything but the front door: somebody else's would stand before the same addresses.
NO_DOOR = {
    "mission_control_front_door": "external",
    "mission_control_backend_bind": "127.0.0.1",
    "mission_control_frontend_bind": "127.0.0.1",
}


@dataclass
class Candidate:
    """A playbook, and how many times the ping play it may take (None: a figure without a target)."""

    name: str
    playbook: Path
    target: float | None = None
    arguments: tuple[str, ...] = ()
    upgrades: bool = False
    # Whether it has to run once before, because the one before it had other settings.
    settles: bool = False
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


CANDIDATES = (
    Candidate("ping", PLAYBOOKS / "ping.yml"),
    Candidate(VERIFY, PLAYBOOKS / "verify_module.yml", 1.35),
    Candidate("the role verify, from the host", PLAYBOOKS / "verify_host_only.yml"),
    Candidate(CORE, PLAYBOOKS / "verify_with_core_modules.yml"),
    Candidate("verify.yml (host and controller)", ROOT / "playbooks" / "verify.yml"),
    Candidate(WITHOUT, ROOT / "playbooks" / "deploy.yml", 10, ("-e", json.dumps(NO_GATEWAY)), settles=True),
    Candidate(
        DOORLESS,
        ROOT / "playbooks" / "deploy.yml",
        None,
        ("-e", json.dumps(NO_DOOR)),
        settles=True,
    ),
    Candidate(UNCHANGED, ROOT / "playbooks" / "deploy.yml", settles=True),
    Candidate("deploy.yml, backend code changed", ROOT / "playbooks" / "deploy.yml", 25, upgrades=True),
    Candidate("rollback.yml", ROOT / "playbooks" / "rollback.yml", 10),
    Candidate("status.yml", ROOT / "playbooks" / "status.yml", 2),
    Candidate("restart.yml --check", ROOT / "playbooks" / "restart.yml", 2, ("--check",)),
)


def play(candidate: Candidate, inventory: str, source: Path | None = None) -> float:
    """Run once over a cold connection; return the seconds it took."""
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }
    if source is not None:
        environment["MISSION_CONTROL_SOURCE"] = str(source)
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


@dataclass
class Size:
    """What a further release costs on disk."""

    added: int
    sources: int
    build: int
    shared: bool

    @property
    def met(self) -> bool:
        # The sources are there twice, as they were brought and in the release, with as much bytecode. The
        # build of a frontend that did not change has a further name only.
        return self.shared and self.added <= 3 * self.sources + SLACK


class Upgrades:
    """Sources that differ in the backend's code only, and what their deployment does besides taking time."""

    def __init__(self, directory: Path, inventory: str) -> None:
        self._directory = directory
        listed = subprocess.run(
            ["ansible-inventory", "-i", inventory, "--list"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        (told, *_more) = json.loads(listed.stdout)["_meta"]["hostvars"].values()
        self._ssh = [
            "ssh",
            *shlex.split(told.get("ansible_ssh_common_args", "")),
            "-i",
            told["ansible_ssh_private_key_file"],
            f"{told['ansible_user']}@{told['ansible_host']}",
        ]
        self.npm = 0
        self.sizes: list[Size] = []

    def _on_host(self, command: str) -> str:
        done = subprocess.run([*self._ssh, command], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def _state(self) -> tuple[int, int, str]:
        """Bytes on disk (a file with several names counts once), commands of npm so far, what is shared."""
        told = self._on_host(
            f"cd {DEPLOYED}; du -s --block-size=1 . | cut -f1; grep -c '^# .*/npm ' shared/log/release.log; "
            "echo shared/python/* shared/frontend-build/* shared/runtimes/*"
        )
        used, npm, shared = told.splitlines()
        return int(used), int(npm), shared

    def measure(self, candidate: Candidate, inventory: str, number: int) -> float:
        source = self._directory / f"upgrade-{number}-{time.time_ns()}"
        shutil.copytree(APPLICATION, source, symlinks=True)
        with (source / "backend/app/main.py").open("a") as file:
            file.write(f"UPGRADE = {time.time_ns()}\n")
        used, npm, shared = self._state()
        seconds = play(candidate, inventory, source)
        now_used, now_npm, now_shared = self._state()
        self.npm += now_npm - npm
        sizes = self._on_host(
            f"cd {DEPLOYED}; du -s --block-size=1 $(ls -td shared/source/*/tree | head -1) | cut -f1; "
            "du -s --block-size=1 current/frontend/ | cut -f1"
        )
        sources, build = map(int, sizes.splitlines())
        self.sizes.append(Size(now_used - used, sources, build, shared == now_shared))
        shutil.rmtree(source)
        return seconds

    def report(self) -> int:
        """Prints it; says how many targets were missed."""
        largest = max(self.sizes, key=lambda size: size.added)
        met = all(size.met for size in self.sizes)
        added, sources, build = (size / 1e6 for size in (largest.added, largest.sources, largest.build))
        print(
            f"a further release adds {added:.1f} MB on disk "
            f"(its sources {sources:.1f} MB; the build of {build:.1f} MB is shared); "
            f"sources only: {'met' if met else 'MISSED'}"
        )
        print(
            f"commands of npm when only backend code changed: {self.npm}: {'MISSED' if self.npm else 'met'}"
        )
        return (not met) + bool(self.npm)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inventory", default="inventory/sandbox")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TEXT",
        help="measure only those with TEXT in their names",
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()

    candidates = [
        candidate
        for candidate in CANDIDATES
        if candidate is CANDIDATES[0]
        or not options.only
        or any(text in candidate.name for text in options.only)
    ]
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        upgrades = Upgrades(Path(directory), options.inventory)
        for number in range(options.rounds + 1):
            for candidate in candidates:
                if candidate.settles:
                    play(candidate, options.inventory)
                if candidate.upgrades:
                    seconds = upgrades.measure(candidate, options.inventory, number)
                else:
                    seconds = play(candidate, options.inventory)
                # The first round warms caches on both sides and does not count.
                if number:
                    candidate.seconds.append(seconds)
            load = os.getloadavg()[0]
            print(f"round {number} of {options.rounds}, load {load:.1f}", file=sys.stderr)

    ping = candidates[0].median
    missed = 0
    print(f"{'playbook':40} {'median':>8} {'min':>8} {'max':>8} {'x ping':>8}  target")
    for candidate in candidates:
        ratio = candidate.median / ping
        verdict = ""
        if candidate.target is not None:
            met = ratio <= candidate.target
            missed += not met
            verdict = f"<= {candidate.target:g}: {'met' if met else 'MISSED'}"
        print(
            f"{candidate.name:40} {candidate.median:8.2f} {min(candidate.seconds):8.2f}"
            f" {max(candidate.seconds):8.2f} {ratio:8.2f}  {verdict}"
        )
    if upgrades.sizes:
        missed += upgrades.report()
    by_name = {candidate.name: candidate for candidate in candidates}
    medians = {name: candidate.median for name, candidate in by_name.items()}
    if VERIFY in medians and CORE in medians:
        share = medians[VERIFY] / medians[CORE]
        missed += share > SHARE
        print(f"{VERIFY} / {CORE}: {share:.2f}, at most {SHARE:g}: {'met' if share <= SHARE else 'MISSED'}")
    for what, without, most in ADDITIONS:
        if UNCHANGED not in medians or without not in medians:
            continue
        pairs = zip(by_name[UNCHANGED].seconds, by_name[without].seconds, strict=True)
        added = statistics.median(longer - shorter for longer, shorter in pairs)
        missed += added > most
        print(
            f"an unchanged {what} adds {added:.1f} s (median of pairs), at most {most:g} s: "
            f"{'met' if added <= most else 'MISSED'}"
        )
    if options.json:
        options.json.write_text(json.dumps({c.name: c.seconds for c in candidates}, indent=2) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
