# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a deployment: one at a time, and who holds it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Generator
from pathlib import Path

from .._plain_json import parse_json
from .._times.record_stamps import utc_stamp
from . import reading
from .deployment_errors import DeploymentError


@contextlib.contextmanager
def deployment_lock(
    path: Path,
    *,
    purpose: str,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Generator[int, None, None]:
    """Keep two runs apart. The kernel frees the lock when the last process that holds it has ended.

    Yields the descriptor, for children that shall hold the lock too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = clock() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock() >= deadline:
                    raise DeploymentError(
                        f"Another deployment holds {path}: {_holder(path)}.",
                        kind="locked",
                        remedy="Wait for it to end. The lock ends with its processes.",
                    ) from None
                sleep(1.0)
        text = json.dumps(
            {
                "pid": os.getpid(),
                "since": utc_stamp(),
                "purpose": purpose,
            }
        )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _holder(path: Path) -> str:
    try:
        record = parse_json(reading.read_regular(path))
        return f"{record['purpose']}, process {record['pid']}, since {record['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it did not say who it is"
