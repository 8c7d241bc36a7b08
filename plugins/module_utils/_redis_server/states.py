# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module redis_server does, by state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._verify.redis import RedisError
from .administration import add_password, leave_alone, look, persist, renew, wait
from .configuration import password_of
from .files import Files, Runner, arrange, read
from .server import Server, server_of, unreachable

Options = Mapping[str, Any]


def _alone(server: Server, options: Options) -> Mapping[str, Any]:
    return leave_alone(
        server,
        options["passwords"],
        options["password"],
        disconnect=options["disconnect"],
        plain=options["plain"],
    )


def _certified(server: Server, options: Options) -> None:
    renew(server, options["passwords"], options["certificate"], options["key"])


# What changes the running server.
_CHANGES: Mapping[str, Callable[[Server, Options], Mapping[str, Any] | None]] = {
    "persistent": lambda server, options: persist(server, options["passwords"]),
    "certified": _certified,
    "both": lambda server, options: add_password(server, options["passwords"], options["password"]),
    "alone": _alone,
}
STATES = ("asked", "configured", "persistent", "started", "certified", "both", "alone")


def work(options: Options, files: Files, run: Runner, check: bool) -> dict[str, Any]:
    """Do what the state says. Raises HostError."""
    state = options["state"]
    if state == "configured":
        return arrange(files, options["content"], run, check)
    text = read(files.own)
    server = server_of(text, options["port"])
    if state == "asked":
        found = look(server, options["passwords"], options["settings"])
        kept = not arrange(files, None, run, check=True)["changed"]
        return {
            "changed": False,
            **found,
            "kept": kept,
            "stated": bool(text) and password_of(text) in ["", *options["passwords"]],
        }
    if state == "started":
        if not check:
            wait(server, options["passwords"])
        return {"changed": False}
    if check:
        return {"changed": True}
    try:
        return {"changed": True, **(_CHANGES[state](server, options) or {})}
    except RedisError as error:
        raise unreachable(error) from error
