#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verify a healthy host again and again, with restarts in between, and print each false finding.

Usage: stay_quiet.py RUNS SEED SINCE. SINCE is the time from which on the journal is read: what a restart
leaves there must not be found later. What was started a moment ago may be told as settling, and nothing else
may be told. Exit status: 0 none was false, 1 some were.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from typing import Any

from try_faults import look, shell

SETTLING = "settling"
# What an operator does to a host that is well; two of three runs come without anything before them.
RESTARTS = {
    "a restart of the backend": "units restart $app-backend",
    "a restart of the worker": "units restart $app-worker",
    "a restart of the frontend": "units restart $app-frontend",
    # It is ready when it remembers: on a busy machine that takes it minutes.
    "a restart of the gateway": "gateway_units restart openclaw-gateway; until_true 300 remembering",
    "a restart of all": "units restart $app-backend $app-frontend $app-worker",
    "a stop and a start of the worker": "units stop $app-worker; sleep 1; units start $app-worker",
}
RESTARTED_EACH = 1 / 3
# Seconds between a restart and the run after it: some find it starting, some ready.
LATEST = 10.0


def false_findings(view: dict[str, Any]) -> list[str]:
    """Root causes but those of what is just starting."""
    return [
        f"{root['check']} ({root['state']}, {root['kind']}): {root['summary']} {root['cause']}"
        for root in view["root_causes"]
        if root["kind"] != SETTLING
    ]


def main() -> int:
    runs, seed, since = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    chance = random.Random(seed)  # noqa: S311 (drawn again by its seed)
    token = shell("Reading the token", "setting LOCAL_AUTH_TOKEN")
    count: Counter[str] = Counter()
    before = "nothing"
    for number in range(1, runs + 1):
        if chance.random() < RESTARTED_EACH:
            before = chance.choice(list(RESTARTS))
            shell(before, RESTARTS[before])
            waited = chance.uniform(0, LATEST)
            time.sleep(waited)
            before = f"{before}, {waited:.1f} s later"
            count["after a restart"] += 1
        view = look(token, {}, since=since, timeout=10)
        count["settling"] += any(root["kind"] == SETTLING for root in view["root_causes"])
        if found := false_findings(view):
            count["false"] += 1
            sys.stdout.write(f"FALSE: run {number}; the last thing that happened was {before}\n")
            sys.stdout.writelines(f"  {line}\n" for line in found)
    told = ", ".join(f"{count[name]} {name}" for name in ("after a restart", "settling", "false"))
    sys.stdout.write(f"{runs} runs: {told}\n")
    return 1 if count["false"] else 0


if __name__ == "__main__":
    sys.exit(main())
