# SPDX-License-Identifier: GPL-3.0-or-later
"""How a process that has become a user asks root, and how root answers: over a pair of sockets.

What may be asked is marked in root_questions.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from .._plain_json import parse_json
from .errors import HostError
from .root_questions import QUESTIONS, Opened, ask_over, serve

__all__ = ["answer", "connect", "serve"]

_LENGTH = struct.Struct("!I")
_MOST = 1 << 20
# Seconds for the rest of a question that has begun, and for an answer.
PATIENCE = 20.0


class Line:
    """The child's end: asks one question at a time, whichever thread wants to know."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def ask(self, name: str, arguments: list[Any], keywords: Mapping[str, Any]) -> Any:
        question = json.dumps([name, arguments, dict(keywords)]).encode()
        with self._lock:
            self._connection.sendall(_LENGTH.pack(len(question)) + question)
            head, descriptors, _flags, _address = socket.recv_fds(self._connection, _LENGTH.size, 4)
            answer = _received(self._connection, _LENGTH.unpack(head + _rest(self._connection, head))[0])
        # From root, who needs no pickle to do what it wants.
        found = pickle.loads(answer)  # noqa: S301
        if "error" in found:
            message, kind, remedy = found["error"]
            raise HostError(message, kind=kind, remedy=remedy)
        return Opened(*descriptors, note=found["value"]) if descriptors else found["value"]


def connect(connection: socket.socket) -> None:
    """In the child, before it does anything else."""
    ask_over(Line(connection))


def answer(connection: socket.socket, seconds: float | None = None) -> bool:
    """In the process that stayed root: one question and its answer; False when the child is gone.

    :param seconds: that are left for all of it.
    """
    patience = PATIENCE if seconds is None else max(0.01, min(PATIENCE, seconds))
    connection.settimeout(patience)
    try:
        head = connection.recv(_LENGTH.size)
        length = _LENGTH.unpack(head + _rest(connection, head))[0]
        if length > _MOST:
            return False
        name, arguments, keywords = parse_json(_received(connection, length))
        function = QUESTIONS[name]
    except (OSError, EOFError, ValueError, TypeError, KeyError):
        return False
    finding = _Finding(name, partial(function, *arguments, **keywords))
    reply, descriptors = finding.within(patience)
    text = pickle.dumps(reply)
    try:
        head = _LENGTH.pack(len(text))
        if descriptors:
            socket.send_fds(connection, [head], descriptors)
        else:
            connection.sendall(head)
        connection.sendall(text)
    except OSError:
        return False
    finally:
        _close(descriptors)
    return True


class _Finding:
    """An answer that is looked for beside who waits for it: the user's processes may make that take long."""

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        self._name, self._work = name, work
        self._lock = threading.Lock()
        self._late = False
        self._reply: dict[str, Any] = {}
        self._descriptors: list[int] = []

    def within(self, seconds: float) -> tuple[dict[str, Any], list[int]]:
        """What is answered, with open files, or that it took too long."""
        worker = threading.Thread(target=self._find, daemon=True)
        worker.start()
        worker.join(seconds)
        with self._lock:
            self._late = not self._reply
        late = (
            f"Root could not look at that within {seconds:.3g} s ({self._name}).",
            "timeout",
            "See which process of the user's has much open or hangs, and whether the host is overloaded.",
        )
        return (self._reply, self._descriptors) if self._reply else ({"error": late}, [])

    def _find(self) -> None:
        found: Any = None
        try:
            found = self._work()
            reply = {"value": found.note if isinstance(found, Opened) else found}
        except HostError as error:
            reply = {"error": (error.message, error.kind, error.remedy)}
        except Exception as error:
            reply = {"error": (f"{self._name}: {type(error).__name__}: {error}", "bug", "")}
        descriptors = found.descriptors if isinstance(found, Opened) else []
        with self._lock:
            if not self._late:
                self._reply, self._descriptors = reply, descriptors
                return
        # Nobody waits for it any more.
        _close(descriptors)


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _rest(connection: socket.socket, head: bytes) -> bytes:
    return _received(connection, _LENGTH.size - len(head)) if head else _received(connection, _LENGTH.size)


def _received(connection: socket.socket, length: int) -> bytes:
    parts = b""
    while len(parts) < length:
        part = connection.recv(min(length - len(parts), 1 << 16))
        if not part:
            raise EOFError
        parts += part
    return parts
