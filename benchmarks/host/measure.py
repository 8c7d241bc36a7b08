#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a command some times and prints what it took as JSON: measure.py ROUNDS COMMAND...

CPU time and the largest resident size are those of the command and all that it waited for. Its output, one
line of JSON, is that of a module: what it found goes along.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time


def main() -> None:
    found = []
    for _ in range(int(sys.argv[1])):
        with tempfile.TemporaryFile() as output:
            started = time.monotonic()
            actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1)]
            child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=actions)
            _, _, usage = os.wait4(child, 0)
            seconds = time.monotonic() - started
            output.seek(0)
            result = json.loads(output.read())
        found.append(
            {
                "seconds": seconds,
                "cpu": usage.ru_utime + usage.ru_stime,
                "megabytes": usage.ru_maxrss / 1024,
                "state": result["state"],
                "verdicts": {verdict["name"]: verdict["summary"] for verdict in result["verdicts"]},
                "kinds": sorted({cause["kind"] for cause in result["root_causes"]}),
            }
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
