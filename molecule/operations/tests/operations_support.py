"""How the tests run playbooks and reach the hosts."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
INVENTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
USER = "mission-control"
HOSTS = ("operations-one", "operations-two", "operations-three")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Played:
    """The end of a playbook's run."""

    returncode: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The counts of each host."""
        found = {}
        for host, counts in re.findall(r"^(\S+)\s+: (ok=.*)$", self.output, re.MULTILINE):
            found[host] = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", counts)}
        return found

    @property
    def message(self) -> str:
        """What a failure says, on one line."""
        match = re.search(r"^    msg: (.*?)(?=^    \w+:|^\S|\Z)", self.output, re.MULTILINE | re.DOTALL)
        return " ".join(match[1].split()).strip("'|- ").replace("''", "'") if match else ""

    def table(self, header: str) -> list[list[str]]:
        """The rows below the header that begins with that word, split where two blanks are."""
        lines = self.output.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith(header))
        rows = []
        for line in lines[start + 2 :]:
            if not line.strip():
                break
            rows.append(re.split(r"\s{2,}", line.strip()))
        return rows


Play = Callable[..., Played]


def run_playbook(name: str, *arguments: str, verbose: bool = False) -> Played:
    argv = ["ansible-playbook", "-i", str(INVENTORY), str(CHECKOUT / "playbooks" / name), *arguments]
    environment = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_PIPELINING": "1",
    }
    if verbose:
        argv.append("-vvv")
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT)
    return Played(done.returncode, ANSI.sub("", done.stdout + done.stderr))


@functools.cache
def ssh_command(name: str) -> list[str]:
    """The SSH command that reaches a host, from Ansible's inventory."""
    listed = subprocess.run(
        ["ansible-inventory", "-i", str(INVENTORY), "--host", name],
        capture_output=True,
        text=True,
        check=True,
    )
    variables = json.loads(listed.stdout)
    return [
        "ssh",
        *shlex.split(variables.get("ansible_ssh_args", "")),
        *shlex.split(variables.get("ansible_ssh_common_args", "")),
        "-i",
        variables["ansible_ssh_private_key_file"],
        f"{variables['ansible_user']}@{variables['ansible_host']}",
    ]


def on_host(name: str, command: str) -> str:
    """The output of a command run as root."""
    done = subprocess.run([*ssh_command(name), command], capture_output=True, text=True, check=True)
    return done.stdout


# Runs a command in a terminal of its own, waits for a text, types an interrupt and tells how it ended.
FOLLOW = """
import json, os, pty, re, select, sys, time
argv, trigger, wanted, first = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
seen, state, deadline = "", "starting", time.monotonic() + 40
while time.monotonic() < deadline:
    ready, _, _ = select.select([terminal], [], [], 0.2)
    if ready:
        try:
            seen += os.read(terminal, 65536).decode(errors="replace")
        except OSError:
            break
    if state == "starting" and re.search(first, seen):
        state = "following"
        os.system(trigger)
    if state == "following" and re.search(wanted, seen):
        state = "interrupted"
        os.write(terminal, b"\\x03")
else:
    os.kill(pid, 9)
    state = "timed out after " + state
os.close(terminal)
os.waitpid(pid, 0)
time.sleep(0.5)
left = os.popen("pgrep -a journalctl").read()
print(json.dumps({"state": state, "left": left, "seen": seen[-2000:]}))
"""


def follow(host: Any, argv: Sequence[str], *, trigger: str, wanted: str, first: str = ".") -> dict[str, Any]:
    """Follow a log for real on a host: a line written meanwhile is seen, an interrupt ends it."""
    host.run("cat > /tmp/follow.py <<'END'\n" + FOLLOW + "\nEND")
    done = host.run("python3 /tmp/follow.py %s", json.dumps([list(argv), trigger, wanted, first]))
    assert done.rc == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
