# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the server: to nobody else is a password told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .._host.errors import HostError
from .._verify.redis import SERVERS, Redis, RedisError
from .configuration import Place, places, users_of

# Seconds for what is asked over one connection.
PATIENCE = 20.0


@dataclass
class Entered:
    """A connection.

    open: whether the server answers without a password.
    known: whether it took one of those that it was told.
    """

    redis: Redis
    transport: str
    open: bool
    known: bool

    def __enter__(self) -> Redis:
        return self.redis

    def __exit__(self, *_exception: object) -> None:
        self.redis.close()


@dataclass
class Server:
    """The server of this host: where it listens, as whom it runs, and who may enter by its files."""

    places: Sequence[Place]
    named: Mapping[str, Sequence[str]]
    users: Collection[str] = SERVERS

    def enter(self, passwords: Sequence[str]) -> Entered:
        """A connection, logged in with the last of these passwords that the server takes.

        One that it does not take changes nothing. Raises RedisError.
        """
        failure = RedisError("refused", "it has no address")
        for place in self.places:
            try:
                redis = Redis(place.url, PATIENCE)
                # Names of users are told back as they are.
                redis.errors = "surrogateescape"
                redis.refuse_strangers(self.users)
            except RedisError as error:
                failure = error
                if error.kind != "refused":
                    break
                continue
            try:
                return _logged_in(redis, place.transport, passwords)
            except BaseException:
                redis.close()
                raise
        raise failure

    def entered(self, passwords: Sequence[str]) -> Entered:
        """The same, where it has to succeed."""
        try:
            found = self.enter(passwords)
        except RedisError as error:
            raise unreachable(error) from error
        if not (found.known or found.open):
            found.redis.close()
            raise HostError(
                "Redis of this host does not take the password that its configuration asks for.",
                kind="redis_login",
                remedy="Somebody has changed it behind the files' back: deploy again, which puts it right.",
            )
        return found


def server_of(text: str, port: int) -> Server:
    """The server as our own file has it."""
    return Server(places(text, port), users_of(text))


def _logged_in(redis: Redis, transport: str, passwords: Sequence[str]) -> Entered:
    answer = redis.calls([("PING",)])[0]
    # Asked before the login: only a server without a password answers.
    asks = isinstance(answer, RedisError) and answer.kind == "auth"
    if isinstance(answer, RedisError) and answer.kind == "clients":
        raise answer
    known = False
    for password in passwords:
        # With the user's name the login also works at a server that asks for no password.
        reply = redis.calls([("AUTH", "default", password)])[0]
        if not isinstance(reply, RedisError):
            known = True
        elif reply.kind != "auth":
            raise reply
    return Entered(redis, transport, open=not asks, known=known)


def unreachable(error: RedisError) -> HostError:
    """Why the server cannot be asked."""
    if error.kind == "stranger":
        return HostError(
            f"Redis' port is taken by somebody else ({error}), who was told nothing.",
            kind="redis_stranger",
            remedy="End that process (ss -ltnp shows it), then: systemctl restart redis-server",
        )
    return HostError(
        f"Redis of this host cannot be asked: {error}.",
        kind=f"redis_{error.kind}",
        remedy="See systemctl status redis-server, and journalctl -u redis-server.",
    )
