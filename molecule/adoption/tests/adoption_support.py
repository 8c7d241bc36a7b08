"""How the tests deploy to the two hosts, each a deployment of its own, and look at them."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
INVENTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Others run on this machine too: one that works may start slowly.
SETTINGS = {"release_gate_deadline": 90}
# For a release that is to fail: it must not take long to show it.
SOON = ("-e", "release_gate_deadline=15")

# With the password where there is one already.
REDIS_CLI = "REDISCLI_AUTH=$(cat /var/lib/mission-control/redis-password 2>/dev/null || true) redis-cli"


@functools.cache
def variables(host: str) -> dict[str, Any]:
    """What the inventory says of the host."""
    argv = ["ansible-inventory", "-i", str(INVENTORY), "--host", host]
    found: dict[str, Any] = json.loads(
        subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    )
    return found


def on(host: str, command: str) -> str:
    """The output of a command run as root."""
    told = variables(host)
    ssh = [
        "ssh",
        *shlex.split(told["ansible_ssh_common_args"]),
        "-i",
        told["ansible_ssh_private_key_file"],
        f"{told['ansible_user']}@{told['ansible_host']}",
    ]
    done = subprocess.run([*ssh, command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def sql(host: str, query: str) -> str:
    database = variables(host)["adoption_database"]
    return on(host, f"cd /; runuser -u postgres -- psql -Atc {shlex.quote(query)} {database}")


@dataclass(frozen=True)
class Host:
    """What stands on a host and who it belongs to."""

    name: str
    inventory: Path

    @property
    def user(self) -> str:
        return str(variables(self.name)["mission_control_user"])

    @property
    def root(self) -> str:
        return f"/home/{self.user}/mission-control"

    @property
    def tree(self) -> str:
        return str(variables(self.name)["adoption_tree"])

    def on(self, command: str) -> str:
        return on(self.name, command)

    def systemctl(self, arguments: str) -> str:
        return self.on(f"systemctl --user -M {self.user}@ {arguments} || true")

    def status(self, path: str, token: str = "", port: int = 8000) -> int:
        """The status of an answer; 0 when there is none."""
        address = variables(self.name)["ansible_host"]
        request = urllib.request.Request(f"http://{address}:{port}{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def setting(self, name: str, path: str) -> str:
        return self.on(f"sed -n 's/^{name}=//p' {path}").strip("'\"")


def data(host: str) -> dict[str, str]:
    """What nobody must lose: rows and the entries of the queue."""
    return {
        "boards": sql(host, "select count(*), md5(string_agg(id::text, ',' order by id)) from boards"),
        "tasks": sql(host, "select count(*), md5(string_agg(id::text, ',' order by id)) from tasks"),
        "scheduled": on(host, REDIS_CLI + " zrange default:scheduled 0 -1 withscores"),
        "elsewhere": on(host, REDIS_CLI + " lrange elsewhere 0 -1"),
    }


@dataclass
class Played:
    host: Host
    returncode: int
    output: str

    @property
    def changed(self) -> int:
        match = re.search(rf"^{self.host.name}\s+: ok=\d+\s+changed=(\d+)", self.output, re.MULTILINE)
        assert match, self.output
        return int(match[1])

    @property
    def words(self) -> str:
        """Everything on one line, so that texts are found wherever they were broken."""
        return " ".join(self.output.split())


def ansible(host: Host, program: str, *arguments: str, source: Path | None = None) -> Played:
    environment = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_PIPELINING": "1",
    }
    if source is not None:
        environment["MISSION_CONTROL_SOURCE"] = str(source)
    argv = [program, "-i", str(host.inventory), "-e", json.dumps(SETTINGS), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT)
    return Played(host, done.returncode, ANSI.sub("", done.stdout + done.stderr))


def play(host: Host, name: str, *arguments: str, source: Path | None = None) -> Played:
    return ansible(host, "ansible-playbook", str(CHECKOUT / "playbooks" / name), *arguments, source=source)


def play_all(hosts: list[Host], name: str, *arguments: str, source: Path | None = None) -> list[Played]:
    """The hosts at the same time."""
    with ThreadPoolExecutor(len(hosts)) as pool:
        return list(pool.map(lambda host: play(host, name, *arguments, source=source), hosts))


def unhealthy(directory: Path) -> Path:
    """A copy of the application that starts, and then answers its health path with 500."""
    path = directory / "unhealthy"
    shutil.copytree(CHECKOUT / ".cache/reference_application", path, symlinks=True)
    main = path / "backend/app/main.py"
    text = main.read_text()
    assert "    return Ok()" in text
    main.write_text(text.replace("    return Ok()", '    raise RuntimeError("made to be unhealthy")'))
    return path
