# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server is asked and told, each over a connection of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._host.errors import HostError
from .._verify.redis import Redis, RedisError, state_of
from .._verify.redis_users import Users, read_users, shown
from .server import Server, unreachable

# What a server answers that does not know a command, by rename-command, or does not allow it, by an ACL.
_HIDDEN = re.compile(r"ERR unknown (sub)?command|NOPERM")
# Rounds in which everybody else is put out. Whoever makes users as fast as they are removed has to reconnect,
# log in and make one, each time within the blink in which the next round begins.
ROUNDS = 50
# Seconds for an append-only file to be written, and for a server to start with it.
WRITING = 120.0
STARTING = 30.0

Sleep = Callable[[float], None]


def hidden(reply: Any) -> bool:
    """Whether a command is not known, or not allowed."""
    return isinstance(reply, RedisError) and bool(_HIDDEN.match(str(reply)))


def look(server: Server, passwords: Sequence[str], settings: Sequence[str]) -> dict[str, Any]:
    """What the server runs with, and who may enter. That it is down is no failure; a stranger there is."""
    nothing: dict[str, Any] = {
        "running": False,
        "transport": "",
        "open": False,
        "known": False,
        "hides": False,
        "in_force": {},
        "itself": {},
        "foreign": [],
        "passwords": 0,
        "why": "",
    }
    try:
        found = server.enter(passwords)
        with found as redis:
            asked = [("CONFIG", "GET", *settings), ("INFO",), ("ACL", "LIST")]
            config, info, listed = redis.calls(asked)
    except RedisError as error:
        if error.kind == "stranger":
            raise unreachable(error) from error
        return {**nothing, "why": str(error)}
    users = read_users(listed, server.named) if isinstance(listed, list) else Users()
    return {
        **nothing,
        "running": True,
        "transport": found.transport,
        "open": found.open,
        "known": found.known or found.open,
        "hides": hidden(config),
        "in_force": dict(zip(config[::2], config[1::2], strict=False)) if isinstance(config, list) else {},
        "itself": _itself(info) if isinstance(info, str) else {},
        "foreign": list(map(shown, users.foreign)),
        "passwords": users.passwords,
    }


def _itself(info: str) -> dict[str, Any]:
    """What a server that hides its settings says of itself."""
    state = state_of(info)
    return {
        "maxmemory-policy": state.get("maxmemory_policy", ""),
        "appendonly": "yes" if state.get("aof_enabled") == "1" else "no",
        "keys": bool(re.search(r"(?m)^db\d+:keys=", info)),
    }


def _tell(server: Server, passwords: Sequence[str], *command: str) -> None:
    """A command that has to succeed. It is not repeated in the failure: it may hold a password."""
    with server.entered(passwords) as redis:
        try:
            redis.call(*command)
        except RedisError as error:
            raise refused(error, " ".join(command[:2])) from error


def refused(error: RedisError, command: str) -> HostError:
    """The server does not do as it was told."""
    return HostError(
        f"Redis of this host does not do {command}: {error}.",
        kind="redis_refuses",
        remedy="The commands ACL and CONFIG have to be known (no rename-command), and the user default needs "
        "its rights.",
    )


def persist(server: Server, passwords: Sequence[str], sleep: Sleep = time.sleep) -> None:
    """Have the running server write its append-only file.

    One that is restarted with appendonly and has none yet starts empty, whatever its snapshot holds.
    """
    _tell(server, passwords, "CONFIG", "SET", "appendonly", "yes")
    deadline = time.monotonic() + WRITING
    while True:
        with server.entered(passwords) as redis:
            state = state_of(str(redis.call("INFO", "persistence")))
        if state.get("aof_rewrite_in_progress") == state.get("aof_rewrite_scheduled") == "0":
            return
        if time.monotonic() > deadline:
            raise HostError(
                f"Redis has not written its append-only file within {WRITING:.0f} s.",
                kind="redis_slow",
                remedy="See whether its disk is full or slow (journalctl -u redis-server). Run this again.",
            )
        sleep(0.5)


def wait(server: Server, passwords: Sequence[str], sleep: Sleep = time.sleep) -> None:
    """Until the server has started, with settings by which it throws nothing away."""
    deadline = time.monotonic() + STARTING
    while True:
        said = ""
        try:
            with server.enter(passwords) as redis:
                state = state_of(str(redis.call("INFO", "memory")))
            if (policy := state.get("maxmemory_policy", "")) == "noeviction":
                return
            said = f"its maxmemory-policy is {policy}"
        except RedisError as error:
            if error.kind == "stranger":
                raise unreachable(error) from error
            said = str(error)
        if time.monotonic() > deadline:
            raise HostError(
                f"Redis does not run with its settings after {STARTING:.0f} s: {said}.",
                kind="redis_settings",
                remedy="See journalctl -u redis-server.",
            )
        sleep(0.5)


def renew(server: Server, passwords: Sequence[str], certificate: str, key: str) -> None:
    """Have the server show another certificate."""
    _tell(server, passwords, "CONFIG", "SET", "tls-cert-file", certificate, "tls-key-file", key)


def add_password(server: Server, passwords: Sequence[str], password: str) -> None:
    """Have the server take a password beside the one in use."""
    _tell(server, passwords, "ACL", "SETUSER", "default", f">{password}")


def leave_alone(
    server: Server,
    passwords: Sequence[str],
    password: str,
    *,
    disconnect: bool = False,
    plain: bool = True,
) -> dict[str, Any]:
    """Have one password count, and nobody enter but those of our own file.

    :param passwords: one of them lets in now; but for `password` all have to be refused in the end.
    :param password: the one that counts; empty leaves those that do.
    :param disconnect: end all connections, also where nobody is foreign: who is connected stays logged in.
    :param plain: whether the server goes on to listen without TLS.
    """
    with server.entered([*passwords, *filter(None, [password])]) as redis:
        try:
            users = read_users(redis.call("ACL", "LIST"), server.named)
        except RedisError as error:
            raise refused(error, "ACL LIST") from error
        foreign, removed = users.foreign, set(users.foreign)
        disconnect = disconnect or (bool(password) and users.passwords > 1)
        configures = bool(password) and not hidden(redis.calls([("CONFIG", "GET", "requirepass")])[0])
        for _round in range(ROUNDS):
            disconnect = disconnect or bool(foreign)
            listed = _put_out(
                redis, password, server.named, foreign, configures=configures, disconnect=disconnect
            )
            foreign = read_users(listed, server.named).foreign
            removed.update(foreign)
            if not foreign:
                break
        else:
            raise HostError(
                f"Users of Redis are made as fast as they are removed: {', '.join(map(shown, foreign[:5]))}.",
                kind="redis_users",
                remedy="A restart ends that, as no file names them: systemctl restart redis-server. Then run "
                "this again.",
            )
        if not plain and isinstance(reply := redis.calls([("CONFIG", "SET", "port", "0")])[0], RedisError):
            raise refused(reply, "CONFIG SET port")
    if password:
        _see(server, [old for old in passwords if old != password], password)
    return {"removed": sorted(map(shown, removed))}


def _put_out(
    redis: Redis,
    password: str,
    named: Mapping[str, Sequence[str]],
    foreign: Sequence[str],
    *,
    configures: bool,
    disconnect: bool,
) -> list[str]:
    """One password, without these users and all other connections, in one step; who may enter after it.

    :param named: users, and what they may.
    """
    commands: list[tuple[str, ...]] = [("MULTI",)]
    commands += [("ACL", "SETUSER", name, "reset", *rules) for name, rules in named.items()]
    if configures:
        commands.append(("CONFIG", "SET", "requirepass", password))
    if password:
        # As the setting has it, which changes nothing where it is the same already.
        commands.append(("ACL", "SETUSER", "default", "reset", "on", f">{password}", "~*", "&*", "+@all"))
    if foreign:
        commands.append(("ACL", "DELUSER", *foreign))
    if disconnect:
        kinds = ("normal", "pubsub", "replica")
        commands += [("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes") for kind in kinds]
    replies = redis.calls([*commands, ("ACL", "LIST"), ("EXEC",)])[-1]
    for reply in replies if isinstance(replies, list) else [replies]:
        if isinstance(reply, RedisError):
            raise refused(reply, "ACL SETUSER, ACL DELUSER or CLIENT KILL")
    listed: list[str] = replies[-1]
    return listed


def _see(server: Server, old: Sequence[str], password: str) -> None:
    """That the new password lets in, and those of before do not."""
    server.entered([password]).redis.close()
    for one in old:
        with (found := server.enter([one])):
            if found.known:
                raise HostError(
                    "Redis of this host still takes the password of before.",
                    kind="redis_login",
                    remedy="Run the rotation again.",
                )
