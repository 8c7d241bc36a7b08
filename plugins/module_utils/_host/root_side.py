# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The little that a process which has become a user still learns from root: a closed list of questions.

A function that is marked here is answered by the process that stayed root, when there is one; everywhere else
it is an ordinary function. Its arguments cross the border as JSON, so they are plain data, and root takes
them for what they are: somebody else's.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from .accounts import Account
from .errors import HostError

_QUESTIONS: dict[str, Callable[..., Any]] = {}
_LENGTH = struct.Struct("!I")
_MOST = 1 << 20

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Opened:
    """An answer that is made of open files, which the process that asked gets."""

    def __init__(self, *descriptors: int, note: Any = None) -> None:
        self.descriptors = list(descriptors)
        self.note = note


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


_line: Line | None = None
_asker: Account | None = None


def at_hand() -> bool:
    """Whether this process has become a user and may ask root."""
    return _line is not None


def connect(connection: socket.socket) -> None:
    """In the child, before it does anything else."""
    global _line
    _line = Line(connection)


def serve(account: Account) -> None:
    """In the process that stays root: whom it will answer."""
    global _asker
    _asker = account


def asker() -> Account:
    """Who asks: what is answered is his."""
    if _asker is None:
        raise HostError("Nobody is being answered.", kind="bug")
    return _asker


def answered_by_root(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Mark a function as a question to root. It takes and returns plain data, and checks what it is given."""
    name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
    _QUESTIONS[name] = function

    @wraps(function)
    def ask(*arguments: Given.args, **keywords: Given.kwargs) -> Answer:
        if _line is None:
            return function(*arguments, **keywords)
        found: Answer = _line.ask(name, list(arguments), keywords)
        return found

    return ask


def answer(connection: socket.socket) -> bool:
    """In the process that stayed root: one question and its answer; False when the child is gone."""
    try:
        head = connection.recv(_LENGTH.size)
        length = _LENGTH.unpack(head + _rest(connection, head))[0]
        if length > _MOST:
            return False
        name, arguments, keywords = json.loads(_received(connection, length))
        function = _QUESTIONS[name]
    except (OSError, EOFError, ValueError, TypeError, KeyError):
        return False
    found: Any = None
    try:
        found = function(*arguments, **keywords)
        reply = {"value": found.note if isinstance(found, Opened) else found}
    except HostError as error:
        reply = {"error": (error.message, error.kind, error.remedy)}
    except Exception as error:
        reply = {"error": (f"{name}: {type(error).__name__}: {error}", "bug", "")}
    descriptors = found.descriptors if isinstance(found, Opened) else []
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
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    return True


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
