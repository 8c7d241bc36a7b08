#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Try faults on this host, one after the other: bring it about, verify, cure it, verify again.

They are entries of vars/faults.yml, a list as JSON on standard input. Verified is by the checks of the
installed host command, with its configuration. Prints a line on each fault, and one for each thing that was
not as the entry says. The host is cured in any case. Exit status: 0 all as expected, 1 not.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

COMMANDS = "/root/faults.sh"
COMMAND = "/usr/local/bin/mission-control"
DEPLOYED = Path("/etc/mission-control/command.json")
# Nothing here takes as long on an idle machine; a busy one gets the time that it needs.
SHELL, PATIENCE = 420, 90
# Seconds of a request, where a fault does not ask for more: less is a fault of its own on a busy machine.
TIMEOUT = 8.0

sys.path.insert(0, COMMAND)
runner: Any = importlib.import_module("mission_control._verify.standalone")


class UntriedError(Exception):
    """The fault did not come about, or could not be cured."""


def shell(what: str, text: str) -> str:
    """Run commands of faults.sh; what they print."""
    child = subprocess.Popen(
        ["/bin/bash", "-c", f". {COMMANDS}\n{text}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        cwd="/root",
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=SHELL)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        raise UntriedError(f"{what} did not end within {SHELL} s: {output[-500:]}") from None
    if child.returncode:
        raise UntriedError(f"{what} failed with {child.returncode}: {output[-500:]}")
    return output.strip()


def now() -> str:
    return datetime.now(UTC).isoformat()


def look(
    token: str, options: dict[str, Any], *, since: str, patience: int = 0, timeout: float = TIMEOUT
) -> dict[str, Any]:
    """The report of the checks, with the operator's token and some options of checks."""
    configuration = json.loads(DEPLOYED.read_text(encoding="utf-8"))
    verify = configuration["verify"]
    verify["options"] |= {
        "user": configuration["user"],
        "root": configuration["root"],
        "token": token,
        "timeout": timeout,
        "interval": 0.3,
        "deadline": patience,
    }
    # Made-up agents are judged as any others here. A busy machine answers late.
    checks = verify["check_options"] | {
        "agents": {},
        "health": {"latency_warning": "4000", "latency_critical": "9000"},
    }
    checks["log"] |= {"since": since}
    for name, given in options.items():
        checks[name] = checks.get(name, {}) | given
    found: dict[str, Any] = runner.run(verify | {"check_options": checks}, where="host")
    return found


def differences(fault: dict[str, Any], view: dict[str, Any]) -> list[str]:
    """What of the verdict is not as the entry says."""
    roots = view["root_causes"]
    found = [] if len(roots) == 1 else [f"{len(roots)} root causes instead of one"]
    root = (
        roots[0]
        if roots
        else dict.fromkeys(("check", "state", "kind", "cause", "remedy", "consequences"), "")
    )
    by = root["cure"]["by"] if roots else ""
    if by != fault.get("by", "person"):
        found.append(f"done by {by!r}")
    if not re.fullmatch(fault["check"], root["check"]):
        found.append(f"check {root['check']!r}")
    for name, wanted in (("kind", fault["kind"]), ("state", fault.get("state", "fail"))):
        if root[name] != wanted:
            found.append(f"{name} {root[name]!r}")
    found += [
        f"{name} {root[name]!r}" for name in ("cause", "remedy") if not re.search(fault[name], root[name])
    ]
    told = {path.split(".")[0] for path in root["consequences"]}
    found += [
        f"not among the consequences: {name}" for name in fault.get("consequences", []) if name not in told
    ]
    passed = {verdict["name"] for verdict in view["verdicts"] if verdict["state"] == "pass"}
    found += [f"not healthy: {name}" for name in fault.get("healthy", []) if name not in passed]
    return found


def named(view: dict[str, Any]) -> str:
    return "; ".join(f"{root['check']} ({root['kind']}): {root['summary']}" for root in view["root_causes"])


def repair() -> dict[str, Any]:
    """What the host's own repair says that it did."""
    done = subprocess.run(
        [COMMAND, "repair", "--json", "--wait", str(PATIENCE)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SHELL,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise UntriedError(f"repair ended with {done.returncode}: {done.stderr[-500:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def repaired() -> list[str]:
    """Have it repaired, and once more. What was wrong with that."""
    done = repair()
    wrong = [f"repair: {step['problem']}" for step in done["steps"] if step["problem"]]
    if not done["steps"]:
        wrong.append("repair did nothing")
    wrong += [f"repair left {root['check']} ({root['kind']}): {root['summary']}" for root in done["left"]]
    again = repair()
    return [*wrong, *(f"a second repair did: {step['action']}" for step in again["steps"])]


def typed(pattern: str, view: dict[str, Any]) -> list[str]:
    """Type the commands of the remedy as root does, without faults.sh. What was wrong with that."""
    remedy = view["root_causes"][0]["remedy"] if view["root_causes"] else ""
    match = re.search(pattern, remedy)
    if match is None:
        return [f"no command in the remedy {remedy!r}"]
    done = subprocess.run(
        ["/bin/bash", "-c", " && ".join(group for group in match.groups() if group)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SHELL,
        cwd="/",
        check=False,
    )
    return [f"its remedy failed: {done.stderr[-500:]}"] if done.returncode else []


def follow(fault: dict[str, Any], view: dict[str, Any]) -> list[str]:
    """Do what the remedy of the root cause says, and nothing else."""
    if fault.get("repaired"):
        return repaired()
    return typed(fault["follow"], view) if "follow" in fault else []


def attempt(fault: dict[str, Any]) -> bool:
    """Try one fault, print how it went; whether all was as expected."""
    token = shell("Reading the token", "setting LOCAL_AUTH_TOKEN")
    times: dict[str, float] = {}
    view: dict[str, Any] = {"root_causes": []}
    since = now()
    wrong: list[str] = []

    def timed(what: str, work: Callable[[], Any]) -> Any:
        started = time.monotonic()
        try:
            return work()
        finally:
            times[what] = time.monotonic() - started

    try:
        since = now()
        timed("inject", lambda: shell("Its injection", fault["inject"]))
        asked = {"since": since, "timeout": fault.get("timeout", TIMEOUT)}
        view = timed("verify", lambda: look(token, fault.get("verify", {}), **asked))
        wrong = differences(fault, view)
        if wrong:
            wrong.append(f"told: {named(view) or 'nothing'}")
    except UntriedError as error:
        wrong.append(str(error))
    try:
        if kept := "repaired" in fault or "follow" in fault:
            wrong += timed("remedy", lambda: follow(fault, view))
        timed("cure", lambda: shell("Its cure", fault.get("cure", "true")))
        # Where the remedy itself was followed, the log is green at once, too.
        since = since if kept else now()
        view = timed("green", lambda: look(token, {}, since=since, patience=PATIENCE))
        if view["state"] not in ("pass", "flaky"):
            wrong.append(f"not green after the cure: {named(view)}")
    except UntriedError as error:
        wrong.append(str(error))
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in times.items())
    sys.stdout.write(f"{'WRONG' if wrong else 'ok'}: {fault['name']} ({spent})\n")
    sys.stdout.writelines(f"  {line}\n" for line in wrong)
    return not wrong


def main() -> int:
    results = [attempt(fault) for fault in json.load(sys.stdin)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
