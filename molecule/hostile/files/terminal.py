#!/usr/bin/env python3
"""Types a line into a root shell on a terminal of its own, waits, and shows what came to that terminal.

Arguments: the line, and the seconds to wait after it has ended.
"""

from __future__ import annotations

import os
import pty
import select
import sys
import time


def read(terminal: int, until: bytes, seconds: float) -> bytes:
    seen, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and not (until and until in seen):
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 1 << 16)
            except OSError:
                break
    return seen


def main() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"PS1": "READY> ", "TERM": "xterm"}
        os.execv("/bin/bash", ["bash", "--norc", "-i"])  # noqa: S606
    read(terminal, b"READY> ", 20)
    os.write(terminal, sys.argv[1].encode() + b"; echo LINE-ENDED-$?\n")
    # The echo of what was typed holds a dollar sign.
    seen = b""
    end = time.monotonic() + 120
    while time.monotonic() < end and b"LINE-ENDED-" not in seen.replace(b"LINE-ENDED-$", b""):
        seen += read(terminal, b"", 0.2)
    seen += read(terminal, b"", float(sys.argv[2]))
    os.kill(pid, 9)
    sys.stdout.buffer.write(seen)


if __name__ == "__main__":
    main()
