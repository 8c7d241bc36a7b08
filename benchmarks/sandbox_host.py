"""Sandbox hosts of a benchmark's own, bare or from what `make molecule SCENARIO=default` leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HELPERS = ROOT / "benchmarks" / "host"
SANDBOX = [sys.executable, str(ROOT / "molecule" / "shared" / "sandbox.py")]
# Ansible of the same environment, whatever the search path.
PROGRAMS = Path(sys.executable).parent
# Where the helpers are on the host.
DIRECTORY = "/root/benchmark"


def run(argv: list[str], text: str | None = None, **options: Any) -> str:
    """A command's output; its failure ends the benchmark with what it said."""
    answer = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, **options)
    if answer.returncode:
        sys.exit(f"{argv[0]} failed:\n{answer.stdout[-2000:]}\n{answer.stderr[-2000:]}")
    return answer.stdout


class Host:
    """One host, reached by Ansible and as root."""

    def __init__(self, name: str, inventory: Path) -> None:
        self.name = name
        self.inventory = inventory

    def shell(self, script: str) -> str:
        return run([*SANDBOX, "ssh", self.name, "bash -euo pipefail -s"], script)

    def install(self, *packages: str) -> None:
        self.shell(
            "export DEBIAN_FRONTEND=noninteractive\n"
            f"apt-get -q update && apt-get -qy install --no-install-recommends {' '.join(packages)}\n"
        )

    def copy(self, file: Path) -> None:
        """Put a helper into DIRECTORY."""
        text = file.read_text(encoding="utf-8")
        self.shell(f"mkdir -p {DIRECTORY}\ncat >{DIRECTORY}/{file.name} <<'END_OF_FILE'\n{text}END_OF_FILE\n")

    def module(self, name: str, options: dict[str, Any], keep: str = "") -> None:
        """Run a module by Ansible. With keep, it stays below DIRECTORY/<keep>, with its options in it."""
        environment = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        variables = {}
        if keep:
            environment |= {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_PIPELINING": "0"}
            variables = {"ansible_remote_tmp": f"{DIRECTORY}/{keep}"}
        argv = [str(PROGRAMS / "ansible"), self.name, "-i", str(self.inventory), "-e", json.dumps(variables)]
        argv += ["-m", f"openclaw.mission_control.{name}", "-a", json.dumps(options)]
        run(argv, env=environment, cwd=ROOT)


@contextmanager
def sandbox_hosts(*names: str, snapshot: str | None = "deployed", keep: bool = False) -> Iterator[list[Host]]:
    """Boot them, from a snapshot or bare, with the helpers on them; destroy them in the end."""
    if snapshot and snapshot not in run([*SANDBOX, "snapshots"]):
        sys.exit("There is no snapshot to start from. Run: make molecule SCENARIO=default")
    platforms = [{"name": name, "snapshot": snapshot} for name in names]
    run([*SANDBOX, "create", "--platforms", "-"], json.dumps(platforms))
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark") as directory:
            inventory = Path(directory, "inventory.yml")
            inventory.write_text(run([*SANDBOX, "inventory", *names]), encoding="utf-8")
            hosts = [Host(name, inventory) for name in names]
            for host in hosts:
                for file in sorted(HELPERS.glob("*.py")):
                    host.copy(file)
            yield hosts
    finally:
        if not keep:
            run([*SANDBOX, "destroy", *names])


@contextmanager
def sandbox_host(name: str, *, keep: bool = False) -> Iterator[Host]:
    """One of them."""
    with sandbox_hosts(name, keep=keep) as hosts:
        yield hosts[0]
