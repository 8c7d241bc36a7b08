"""How the tests reach the host, what they replace there, and what an output must not hold."""

from __future__ import annotations

import functools
import json
import os
import random
import re
import shlex
import subprocess
import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

# That of an older state, to see what the tests find there, can be named here.
CHECKOUT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
INVENTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
HOST = os.environ["MOLECULE_SCENARIO_NAME"]
USER = "mission-control"
HOME = f"/home/{USER}"
ROOT = f"{HOME}/mission-control"
FULL = bool(os.environ.get("TEST_FULL"))
# make test has the same replacements each time; the long campaign has all, in another order each time.
SEED = int(os.environ.get("HOSTILE_SEED") or (random.SystemRandom().randrange(10**6) if FULL else 3))
ANSI = re.compile(r"\x1b\[[0-9;]*m")
# What stands in a file's place: see replacer.py.
WAYS = ("link", "zero", "pipe", "large", "kind", "garbled", "poisoned")
# Seconds after which a command hangs, however busy the machine is; what root waits for a user's files is 20.
DEADLINE = 150.0
# Memory of any one process of a command, in MB.
MEMORY = 400
# A release that is to pass may start slowly beside other scenarios; one that is to fail has to show it soon.
TO_PASS = {"release_gate_deadline": 90}
# A program's own mistake, whoever reports it.
CRASHED = re.compile(
    r"Traceback \(most recent call last\)|MODULE FAILURE|Unexpected \w+(Error|Exception)?: "
    r"|'NoneType' object|object of type .* has no attribute"
)


@functools.cache
def variables() -> dict[str, Any]:
    """What the inventory says of the host."""
    argv = ["ansible-inventory", "-i", str(INVENTORY), "--host", HOST]
    found: dict[str, Any] = json.loads(
        subprocess.run(argv, capture_output=True, text=True, check=True, cwd=CHECKOUT).stdout
    )
    return found


def ssh_command(*options: str) -> list[str]:
    """How to reach the host as root, over a connection of its own."""
    told = variables()
    return [
        "ssh",
        *options,
        *shlex.split(told["ansible_ssh_common_args"]),
        "-i",
        told["ansible_ssh_private_key_file"],
        f"{told['ansible_user']}@{told['ansible_host']}",
    ]


def tried(command: str, stdin: str = "", user: str = "root") -> subprocess.CompletedProcess[str]:
    """How a command ends on the host, as one of its users."""
    if user != "root":
        home = f"export HOME=~{user} XDG_RUNTIME_DIR=/run/user/$(id -u {user})"
        become = f"setpriv --reuid={user} --regid={user} --init-groups"
        command = f"cd /; {home}; {become} -- sh -c {shlex.quote(command)}"
    # One connection for all of them.
    argv = [*ssh_command(*shlex.split(variables()["ansible_ssh_args"])), command]
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, input=stdin, timeout=300, errors="replace"
    )


def on_host(command: str, stdin: str = "", user: str = "root") -> str:
    """The output of a command that must succeed."""
    done = tried(command, stdin, user)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def as_user(command: str, stdin: str = "") -> str:
    """The output of a command of the application's user."""
    return on_host(command, stdin, user=USER)


def sql(query: str, database: str = "postgres") -> str:
    """What the superuser is told."""
    psql = f"cd /; runuser -u postgres -- psql -XqAt -v ON_ERROR_STOP=1 -d {database} -f -"
    return on_host(psql, query)


@functools.cache
def gateway_user() -> str:
    """Whose the gateway is: the application's where it has no user of its own."""
    settings = json.loads(on_host("cat /etc/mission-control/command.json"))
    return str(settings.get("gateway_user") or USER)


@functools.cache
def deployed() -> dict[str, str]:
    """The addresses that the host was deployed with, not those that it has now."""
    text = on_host(f"cat {ROOT}/current/backend/.env")
    return {
        "mission_control_public_url": re.findall(r"(?m)^CORS_ORIGINS=\"?([^,\"\n]+)", text)[0],
        "mission_control_api_url": re.findall(r"(?m)^BASE_URL=\"?([^\"\n]+)", text)[0],
    }


@dataclass
class Played:
    """The end of a playbook's run."""

    returncode: int
    output: str
    seconds: float

    @property
    def changed(self) -> int:
        match = re.search(rf"^{HOST}\s+: ok=\d+\s+changed=(\d+)", self.output, re.MULTILINE)
        assert match, self.output
        return int(match[1])

    @property
    def failures(self) -> list[str]:
        """What failed, and was not meant to be able to."""
        return re.findall(r"(?m)^(?:fatal|failed): \[.*", self.output)


def play(
    name: str, *arguments: str, settings: Mapping[str, Any] | None = None, seconds: float = 600
) -> Played:
    """Run one of the shipped playbooks on the host as it was deployed."""
    given = {**deployed(), "release_gate_deadline": 20, **(settings or {})}
    argv = ["ansible-playbook", "-i", str(INVENTORY), "-e", json.dumps(given), *arguments]
    environment = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_PIPELINING": "1",
    }
    began = time.monotonic()
    try:
        done = subprocess.run(
            [*argv, str(CHECKOUT / "playbooks" / name)],
            capture_output=True,
            check=False,
            env=environment,
            cwd=CHECKOUT,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        return Played(124, (error.stdout or b"").decode("utf-8", "surrogateescape"), seconds)
    output = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
    return Played(done.returncode, output, time.monotonic() - began)


@dataclass(frozen=True)
class Place:
    """A file, directory or link of a user's; things of one sort are looked at in the same way."""

    user: str
    path: str
    kind: str
    sort: str

    @property
    def ways(self) -> tuple[str, ...]:
        return WAYS[:-1] if self.kind == "directory" else WAYS


class Replacer:
    """The program on the host, which is asked line by line."""

    def __init__(self) -> None:
        self._program = subprocess.Popen(
            [*ssh_command(), "python3 /root/replacer.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Replacer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._program.stdin and self._program.stdout
        self._program.stdin.close()
        self._program.stdout.close()
        self._program.wait(timeout=30)

    def ask(self, do: str, **asked: Any) -> dict[str, Any]:
        assert self._program.stdin and self._program.stdout
        self._program.stdin.write(json.dumps({"do": do, **asked}) + "\n")
        self._program.stdin.flush()
        answer: dict[str, Any] = json.loads(self._program.stdout.readline())
        assert "error" not in answer, (asked, answer)
        return answer

    def places(self, user: str) -> list[Place]:
        return [Place(user, **one) for one in self.ask("owned", user=user)["found"]]

    def put(self, replaced: Sequence[tuple[Place, str]], marker: str) -> None:
        """Replace places, each in its way; they are of one user, and none is below another."""
        items = [[place.path, way] for place, way in replaced]
        self.ask("put", user=replaced[0][0].user, items=items, marker=marker)

    def back(self) -> list[str]:
        """Put it back; what happened to what is root's."""
        answer = self.ask("back")
        return [*answer["touched"], *(f"{path} holds it" for path in answer["left"])]

    def run(self, *commands: Sequence[str]) -> list[dict[str, Any]]:
        """Commands on the host as root, two at a time."""
        found: list[dict[str, Any]] = self.ask(
            "run", commands=[list(one) for one in commands], seconds=DEADLINE
        )["found"]
        return found


def recover() -> None:
    """Have the user's manager answer, which may still read a unit without end, and start what is to run."""
    on_host(
        f"""uid=$(id -u {USER})
        timeout 20 systemctl --user -M {USER}@ daemon-reload || {{
          systemctl kill --signal=KILL user@$uid.service
          systemctl stop user@$uid.service
          systemctl start user@$uid.service
        }}
        mission-control start --timeout 120 || test -e {ROOT}/shared/maintenance.json"""
    )


def apart(chosen: Sequence[tuple[Place, str]], place: Place) -> bool:
    """Whether a place is neither above nor below what was chosen."""
    return not any(
        f"{place.path}/".startswith(f"{one.path}/") or f"{one.path}/".startswith(f"{place.path}/")
        for one, _way in chosen
    )


def representatives(places: Sequence[Place], chance: random.Random) -> list[Place]:
    """One of each sort."""
    sorts: dict[str, list[Place]] = {}
    for place in places:
        sorts.setdefault(f"{place.user}:{place.sort}", []).append(place)
    return [chance.choice(members) for _sort, members in sorted(sorts.items())]


def ours(crash: re.Match[str]) -> bool:
    """Whether it is not the application's, whose log is shown and whose files were replaced."""
    frame = r'File \\*"(?:/usr/local/bin/mission-control|[^"]*/ansible|<stdin>)'
    return "Traceback" not in crash[0] or bool(re.search(frame, crash.string[crash.end() :][:8000]))


def faults_of(output: str, marker: str) -> list[str]:
    """What an output shows that it must not: a victim's content, a program's crash, what a terminal obeys."""
    found = []
    if marker in output:
        found.append("shows what is in the victim")
    if crash := next(filter(ours, CRASHED.finditer(output)), None):
        found.append(f"crashed: {output[crash.start() : crash.start() + 200]!r}")
    wild = sorted(
        {letter for letter in output if letter not in "\n\t" and unicodedata.category(letter)[0] == "C"}
    )
    if wild:
        place = output.index(wild[0])
        found.append(f"raw control characters {wild} near {output[max(0, place - 80) : place + 40]!r}")
    return found
