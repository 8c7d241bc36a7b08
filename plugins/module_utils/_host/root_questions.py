# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process that has become a user may still ask root: a closed list of questions; root_side asks them.

A function that is marked here is answered by the process that stayed root, when there is one; everywhere else
it is an ordinary function. Its arguments cross the border as JSON, so they are plain data, and root takes
them for what they are: somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

from .accounts import Account
from .errors import HostError

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Opened:
    """An answer that is made of open files, which the process that asked gets."""

    def __init__(self, *descriptors: int, note: Any = None) -> None:
        self.descriptors = list(descriptors)
        self.note = note


class Line(Protocol):
    """The child's end of what connects it with root."""

    def ask(self, name: str, arguments: list[Any], keywords: Mapping[str, Any]) -> Any: ...


# All questions that there are, by their names.
QUESTIONS: dict[str, Callable[..., Any]] = {}
_line: Line | None = None
_asker: Account | None = None


def ask_over(line: Line) -> None:
    """In the child: from now on root answers what is marked."""
    global _line
    _line = line


def at_hand() -> bool:
    """Whether this process has become a user and may ask root."""
    return _line is not None


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
    QUESTIONS[name] = function

    @wraps(function)
    def ask(*arguments: Given.args, **keywords: Given.kwargs) -> Answer:
        if _line is None:
            return function(*arguments, **keywords)
        found: Answer = _line.ask(name, list(arguments), keywords)
        return found

    return ask
