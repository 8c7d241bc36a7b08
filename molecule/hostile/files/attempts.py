#!/usr/bin/env python3
"""Tries things, each for real.

Its input is {"users": {name: account}, "things": [...]}; it tells for each thing who could do it. Without
users it tells which of the things whoever runs it could do.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def attempt(thing: dict[str, Any]) -> None:
    """Raises unless it can be done."""
    if "read" in thing:
        descriptor = os.open(thing["read"], os.O_RDONLY)
        os.close(descriptor)
    elif "write" in thing:
        descriptor = os.open(thing["write"], os.O_WRONLY | os.O_APPEND)
        os.close(descriptor)
    elif "list" in thing:
        list(Path(thing["list"]).iterdir())
    elif "connect" in thing:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(thing["connect"])
    else:
        subprocess.run(
            ["bash", "-c", f"set -o pipefail; {thing['succeed']}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=30,
            start_new_session=True,
        )


def can(thing: dict[str, Any], account: pwd.struct_passwd | None = None) -> bool:
    """Whether the user can, in a process of its own that has become it; or whoever this is."""
    child = os.fork()
    if child == 0:
        try:
            if account:
                become(account)
            attempt(thing)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def become(account: pwd.struct_passwd) -> None:
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.chdir("/")
    os.environ.clear()
    os.environ |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": account.pw_dir, "USER": account.pw_name}


def main() -> None:
    asked = json.load(sys.stdin)
    if "users" not in asked:
        print(json.dumps([can(thing) for thing in asked["things"]]))
        return
    users: dict[str, str] = asked["users"]
    if len(users) > 1:
        # Each in a process of its own: much of it is waiting for what refuses slowly.
        with ThreadPoolExecutor(len(users)) as pool:
            each = list(pool.map(lambda one: alone(dict([one]), asked["things"]), users.items()))
        found = [[name for names in row for name in names] for row in zip(*each, strict=True)]
    else:
        found = [
            [name for name, account in users.items() if can(thing, pwd.getpwnam(account))]
            for thing in asked["things"]
        ]
    print(json.dumps(found))


def alone(users: dict[str, str], things: list[dict[str, Any]]) -> list[list[str]]:
    words = json.dumps({"users": users, "things": things})
    done = subprocess.run([sys.executable, __file__], input=words, capture_output=True, text=True, check=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
