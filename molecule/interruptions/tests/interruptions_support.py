"""How a deployment is watched and interrupted, and its end compared with that of an undisturbed one."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from releases_support import ANSI, CHECKOUT, HOST, ROOT, SETTINGS, on_host, ssh_command, start, variables

# What runs on the host.
STATE = Path(__file__).with_name("state.py").read_text()
CUT = Path(__file__).with_name("cut.py").read_text()
FULL = bool(os.environ.get("TEST_FULL"))
# What is interrupted: with new packages of the backend, or (which takes half of the time) without.
UPGRADE = "repackaged" if FULL else "interrupted"
# A stream of events must not take long to be ended.
GRACE = 4
SETTINGS["backend_grace_seconds"] = GRACE
SEED = int(os.environ.get("INTERRUPTIONS_SEED") or "29")
# The steps of a deployment, each by the task that it begins with, and how many of the points lie in it.
STEPS = {
    "upload": ("Bring the source to the host", 2),
    "build": ("Prepare the release", 6),
    "backup": ("Back up the database", 1),
    "migration": ("Migrate the database", 3),
    "switch": ("Switch to the release", 2),
    "start": ("Have the services run from the release", 3),
    "gate": ("Make the first authenticated call", 2),
    "end": ("Remove old releases", 1),
    "record": ("Record what was done", 0),
}
WAYS = {"controller": 6, "connection": 4, "module": 5, "reboot": 3, "power": 2}


def sandbox(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "molecule/shared/sandbox.py"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# --- when and how ---


@dataclass(frozen=True)
class Point:
    """A moment of a deployment, as a step and a part of the time that it takes; and what happens then."""

    number: int
    step: str
    part: float
    way: str

    def __str__(self) -> str:
        return f"{self.number:02}-{self.way}-{self.step}-{self.part:.2f}"


def points(*, full: bool, seed: int = SEED) -> list[Point]:
    """Twenty, spread over the steps; without `full` one of them, a reboot."""
    chance = random.Random(seed)  # noqa: S311
    moments = [
        (step, 0.95 * (number + chance.random()) / count)
        for step, (_task, count) in STEPS.items()
        for number in range(count)
    ]
    ways = [way for way, count in WAYS.items() for _ in range(count)]
    chance.shuffle(ways)
    every = [
        Point(number, step, part, way)
        for number, ((step, part), way) in enumerate(zip(moments, ways, strict=True), 1)
    ]
    if full:
        return every
    return [chance.choice([point for point in every if point.way == "reboot"])]


# --- a deployment that is watched ---


class Deployment:
    """A run of deploy.yml in the background, whose steps are noticed as they begin."""

    def __init__(self, source: Path) -> None:
        # Else Ansible tells of a task only when it has a result.
        self.process = start("deploy.yml", source=source, settings={"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"})
        self.began: dict[str, float] = {}
        self.lines: list[str] = []
        self._over = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for raw in self.process.stdout or ():
            line = ANSI.sub("", raw.rstrip())
            with self._changed:
                self.lines.append(line)
                for step, (task, _count) in STEPS.items():
                    if line.startswith("TASK [") and f": {task}" in line:
                        self.began.setdefault(step, time.monotonic())
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def last_task(self) -> str:
        return next((line for line in reversed(self.lines) if line.startswith("TASK [")), "").strip(" *")

    def wait_for(self, step: str) -> None:
        """Until a step begins; a run that ends before has gone wrong."""
        with self._changed:
            self._changed.wait_for(
                lambda: step in self.began or self._over,
                timeout=1200,
            )
        assert step in self.began, f"the step {step} did not begin:\n{self.output}"

    def reach(self, step: str, seconds: float) -> None:
        """Until a step has taken so long; or it is over, where the machine is less busy than it was."""
        self.wait_for(step)
        with self._changed:
            self._changed.wait_for(
                lambda: next(reversed(self.began)) != step or self._over,
                timeout=seconds,
            )

    def wait(self, timeout: float | None = None) -> int:
        status = self.process.wait(timeout)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def kill(self) -> None:
        """End the controller and all its children at once; they have sessions of their own."""
        for process in [self.process.pid, *descendants(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.wait(30)


def descendants(pid: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            parents[int(entry.parent.name)] = int(fields[1])
    found, new = [], [pid]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return found


@dataclass
class Course:
    """A deployment that nobody disturbed."""

    began: dict[str, float]
    ended: float
    state: dict[str, Any]

    def seconds(self, step: str) -> float:
        """How long a step takes."""
        order = list(STEPS)
        following = order[order.index(step) + 1 :]
        return (self.began[following[0]] if following else self.ended) - self.began[step]


def undisturbed(source: Path) -> Course:
    deployment = Deployment(source)
    assert deployment.wait() == 0, deployment.output
    ended = time.monotonic()
    assert list(deployment.began) == list(STEPS), "the steps of a deployment are others now"
    course = Course(deployment.began, ended, state())
    print("".join(f"\n  {step}: {course.seconds(step):.1f} s" for step in STEPS))
    return course


# --- interruptions ---


BOOT = "cat /proc/sys/kernel/random/boot_id; systemctl show -P UserspaceTimestampMonotonic"


def interrupt(deployment: Deployment, way: str) -> None:
    """Do it, and wait for the end of the deployment's controller."""
    if way == "controller":
        deployment.kill()
    elif way in ("connection", "module"):
        on_host(f"python3 - {way}", CUT)
        deployment.wait(180)
    else:
        boot = on_host(BOOT)
        restart = "reboot" if way == "reboot" else "reboot --force --force"
        subprocess.run([*ssh_command(), f"systemctl {restart}"], capture_output=True, check=False)
        wait_for_boot(boot)
        # A connection that went without a word would keep it waiting.
        deployment.kill()
    # A package that could not be installed is tried once more: a deployment outlives a module of apt.
    outlived = way == "module" and re.search(rf"^{HOST} .* rescued=[1-9]", deployment.output, re.MULTILINE)
    assert deployment.process.returncode != 0 or outlived, f"it had ended before:\n{deployment.output}"


def wait_for_boot(before: str) -> None:
    """Until the host is up again after the boot that has ended."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        done = subprocess.run(
            [*ssh_command(), "-o", "ConnectTimeout=2", f"{BOOT}; systemctl is-system-running --wait >&2"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0 and done.stdout.strip() != before:
            return
        time.sleep(0.3)
    raise AssertionError("the host did not come back")


# --- what users and operators see ---


def answer(url: str, token: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return response.status, response.read().decode()


def token() -> str:
    return (CHECKOUT / ".cache/secrets/token").read_text().strip()


def serving() -> dict[str, Any]:
    """What users get, asked once: each answer has to come, however long it may take to start."""
    host = variables()["ansible_host"]
    health, _ = answer(f"http://{host}:8000/healthz")
    boards, text = answer(f"http://{host}:8000/api/v1/boards", token())
    page, html = answer(f"http://{host}:3000/")
    assert (health, boards, page) == (200, 200, 200)
    return {"boards": json.loads(text)["total"], "html": html}


def serving_within(seconds: float) -> dict[str, Any]:
    """The same, once the host has booted and started its services."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return serving()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def processes() -> dict[str, tuple[str, str]]:
    """By service, its process and the release that this works in, which has to be complete, or `none`."""
    program = f"""
for service in backend worker frontend; do
  pid=$(systemctl --user -M mission-control@ show -P MainPID mission-control-$service)
  release=$(readlink /proc/$pid/cwd | sed 's|^{ROOT}/releases/||; s|/.*||')
  test -z "$release" || test -s {ROOT}/releases/$release/release.json
  echo $service $pid ${{release:-none}}
done"""
    lines = [line.split() for line in on_host(f"set -e; {program}").splitlines()]
    return {service: (pid, release) for service, pid, release in lines}


def works_from() -> dict[str, str]:
    """By service, the release that its process works in."""
    return {service: release for service, (_pid, release) in processes().items()}


def settled(seconds: float = 60) -> tuple[dict[str, str], dict[str, Any]]:
    """What the services work from, and what users get from just these processes.

    A module outlives its controller for a moment and systemd outlives both, so that services may be
    restarted between two looks: the looks count once the processes before and after are the same.
    """
    deadline = time.monotonic() + seconds
    while True:
        before = processes()
        seen = serving()
        if processes() == before and all(release != "none" for _pid, release in before.values()):
            return {service: release for service, (_pid, release) in before.items()}, seen
        assert time.monotonic() < deadline, before


def state() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(on_host("python3 -", STATE))
    return found


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> str:
    texts = [json.dumps(value, indent=1, sort_keys=True).splitlines() for value in (wanted, found)]
    return "\n".join(difflib.unified_diff(*texts, "undisturbed", "interrupted", lineterm="", n=2))
