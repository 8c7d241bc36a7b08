# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a Python program under systemd's Type=notify: ready is told when the program has been loaded.

usage: run-worker.py PROGRAM [ARGUMENT ...]

Loading reads the settings and imports the application, so that a mistake there fails the start instead of a
service that counts as active and dies over and over.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys
from pathlib import Path


def notify(message: str) -> None:
    """Tell systemd something; without systemd nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall(message.encode())


def ask_directly() -> None:
    """Keep what is local, and our own other hosts, from a proxy that the host's environment names."""
    ours = os.environ.get("MISSION_CONTROL_DIRECT", "")
    theirs = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    text = ",".join(dict.fromkeys(part for part in (*theirs.split(","), *ours.split(",")) if part))
    if ours:
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = text


def main(arguments: list[str]) -> None:
    ask_directly()
    program = Path(arguments[0]).resolve()
    sys.argv = [str(program), *arguments[1:]]
    sys.path[0] = str(Path.cwd())
    # Under another name than __main__, the program defines what it does and does not do it yet.
    loaded = runpy.run_path(str(program), run_name="mission_control_worker")
    start = loaded.get("main")
    if not callable(start):
        sys.exit(f"{program} has no main(), so it is not the product's worker.")
    notify("READY=1\nSTATUS=Working")
    sys.exit(start())


if __name__ == "__main__":
    main(sys.argv[1:])
