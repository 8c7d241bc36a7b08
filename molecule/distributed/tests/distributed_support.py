"""How the tests run playbooks and reach the hosts."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
INVENTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
DATA, ONE, TWO, FRONT = (f"distributed-{name}" for name in ("data", "one", "two", "front"))
APPLICATION = (ONE, TWO, FRONT)
USER = "mission-control"
ROOT = f"/home/{USER}/mission-control"
SUDO_PASSWORD = "Sudo-4f1c7a9be2d0"
PLAIN = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_PIPELINING": "1"}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Played:
    """The end of a playbook's run."""

    returncode: int
    output: str

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """The recap, by host."""
        recaps = re.findall(r"^(distributed-\w+)\s+: (ok=.*)$", self.output, re.MULTILINE)
        assert recaps, self.output
        return {
            host: {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", text)}
            for host, text in recaps
        }

    @property
    def words(self) -> str:
        """Everything on one line, so that texts are found wherever they were broken."""
        return " ".join(self.output.split())


def play(name: str, *arguments: str, **variables: Any) -> Played:
    """Run a playbook, shipped or the scenario's own."""
    path = CHECKOUT / ("molecule/distributed" if name == "source.yml" else "playbooks") / name
    environment = {**os.environ, **PLAIN}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(variables, file)
        file.flush()
        argv = ["ansible-playbook", "-i", str(INVENTORY), str(path), "-e", f"@{file.name}", *arguments]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT
        )
    return Played(done.returncode, ANSI.sub("", done.stdout + done.stderr))


def on_host(name: str, command: str, text: str = "") -> str:
    """The output of a command run as root."""
    sandbox = [sys.executable, str(CHECKOUT / "molecule/shared/sandbox.py"), "ssh", name, "--", command]
    done = subprocess.run(sandbox, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}: {command}: {done.stderr}"
    return done.stdout.strip()


def python(name: str, program: str, *arguments: str, text: str = "") -> str:
    """The output of a Python program; what it is told on standard input stands in no command line."""
    words = ["python3", "-c", program, *arguments]
    return on_host(name, shlex.join(words), text)


def address(name: str) -> str:
    """Where a host is."""
    return str(_inventory()[name]["ansible_host"])


@functools.cache
def _inventory() -> dict[str, dict[str, str]]:
    listed = subprocess.run(
        ["ansible-inventory", "-i", str(INVENTORY), "--list"], capture_output=True, text=True, check=True
    )
    found: dict[str, dict[str, str]] = json.loads(listed.stdout)["_meta"]["hostvars"]
    return found


def settings(name: str) -> dict[str, str]:
    """The environment file of the current release."""
    lines = on_host(name, f"cat {ROOT}/current/backend/.env").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {key: value.strip("\"'") for key, _, value in pairs}


def current() -> dict[str, str]:
    """The release that is current, by host of the application."""
    return {name: on_host(name, f"readlink {ROOT}/current").rpartition("/")[2] for name in APPLICATION}


def outcomes(name: str) -> dict[str, str]:
    """What became of the releases of a host."""
    program = (
        "import glob, json; "
        f"told = [json.load(open(path)) for path in glob.glob('{ROOT}/releases/*/release.json')]; "
        "print(json.dumps({release['id']: (release['outcome'] or {}).get('state') for release in told}))"
    )
    found: dict[str, str] = json.loads(python(name, program))
    return found
