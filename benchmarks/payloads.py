#!/usr/bin/env python3
"""What the size of modules costs: single checks, verify without the host command, an unchanged deployment.

Runs the same tasks of another revision and of this one in turn against the sandbox's host (`make sandbox` of
this revision first), and compares their medians. Without pipelining, verify sends its module and does not ask
the host command. A deployment of another revision that changes the host would not be an unchanged one, so it
is measured only when `--deploy` asks for it, each after one that settles.
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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = "ansible_collections/openclaw/mission_control"
COLLECTION = "openclaw.mission_control"
# Of each kind one: over HTTP alone, of the host alone, and of both.
CHECKS = ("health_check", "host_check", "session_check")
USER = {"user": "mission-control", "root": "~/mission-control", "fail_on": "never"}


def export(revision: str, directory: Path) -> Path:
    """The collection at a revision, below a directory for ANSIBLE_COLLECTIONS_PATH."""
    target = directory / PLACE
    target.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(target)], input=archive, check=True)
    return target


def play(collections: Path, playbook: Path, *arguments: str, pipelining: bool = True) -> float:
    """Seconds that one run takes over a cold connection."""
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": f"{collections}:/usr/share/ansible/collections",
        "ANSIBLE_PIPELINING": str(pipelining),
        # An older revision has no callback of its own that shows the run.
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
    }
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        ssh = f"-o ControlMaster=auto -o ControlPersist=2s -o ControlPath={directory}/%h"
        command = ["ansible-playbook", "-i", "inventory/sandbox", *arguments, str(playbook)]
        started = time.monotonic()
        done = subprocess.run(
            [*command, "-e", json.dumps({"ansible_ssh_args": ssh})],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - started
    if done.returncode:
        sys.exit(f"{playbook} with {collections} failed:\n{done.stdout[-3000:]}\n{done.stderr[-1000:]}")
    return seconds


def task(directory: Path, name: str, module: str, options: dict[str, object]) -> Path:
    """A playbook of one task."""
    path = directory / f"{name}.yml"
    tasks = [{module: options, "become": True}]
    path.write_text(json.dumps([{"hosts": "mission_control", "gather_facts": False, "tasks": tasks}]))
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="what this revision is compared with, for example main")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--deploy", action="store_true", help="measure unchanged deployments, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="payloads") as name:
        directory = Path(name)
        sides = {"before": export(given.revision, directory / "before"), "now": ROOT}
        paths = {"before": directory / "before", "now": ROOT / ".cache" / "collections"}
        token = {"token": "{{ mission_control_token }}"}
        books = {"ping": task(directory, "ping", "ansible.builtin.ping", {})}
        for check in CHECKS:
            books[check] = task(directory, check, f"{COLLECTION}.{check}", {**USER, **token})
        books["verify"] = task(directory, "verify", f"{COLLECTION}.verify", {**USER, **token})
        seconds: dict[tuple[str, str], list[float]] = {}
        for _round in range(given.rounds):
            for book, path in books.items():
                for side in sides:
                    taken = play(paths[side], path, pipelining=book != "verify")
                    seconds.setdefault((book, side), []).append(taken)
            if given.deploy:
                for side, place in sides.items():
                    play(paths[side], place / "playbooks" / "deploy.yml")
                    taken = play(paths[side], place / "playbooks" / "deploy.yml")
                    seconds.setdefault(("deploy.yml, nothing to do", side), []).append(taken)
    print(f"medians of {given.rounds} rounds; before is {given.revision}")
    for book in dict.fromkeys(book for book, _side in seconds):
        before, now = (statistics.median(seconds[book, side]) for side in sides)
        print(f"{book:28} {before:7.2f} s {now:7.2f} s  {now / before:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
