"""Users who never stop asking, each request over a connection of its own, and what became of the requests."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

# Bounds for whatever happens: no more requests than these, and none after these seconds.
REQUESTS_MAX = 40_000
SECONDS_MAX = 900.0
PAUSE = 0.05
TIMEOUT = 60.0


@dataclass(frozen=True)
class Target:
    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    target: Target
    at: float
    seconds: float
    problem: str


class Load:
    """`with Load(host, targets) as load:` asks the targets in turn until the block ends."""

    def __init__(
        self, host: str, targets: list[Target], users: int = 6, statuses: tuple[int, ...] = (200,)
    ) -> None:
        self.host = host
        self._statuses = statuses
        self.done: list[Request] = []
        self._targets = targets
        self._end = threading.Event()
        self._until = time.monotonic() + SECONDS_MAX
        self._users = [
            threading.Thread(target=self._ask_on, args=(number,), daemon=True) for number in range(users)
        ]

    def __enter__(self) -> Load:
        for user in self._users:
            user.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for user in self._users:
            user.join()

    def reach(self, count: int) -> None:
        """Go on until there were so many requests."""
        while len(self.done) < count and time.monotonic() < self._until:
            time.sleep(0.1)

    def _ask_on(self, number: int) -> None:
        turn = number
        while not self._end.wait(PAUSE) and time.monotonic() < self._until and len(self.done) < REQUESTS_MAX:
            self.done.append(self._ask(self._targets[turn % len(self._targets)]))
            turn += 1

    def _ask(self, target: Target) -> Request:
        connection = http.client.HTTPConnection(self.host, target.port, timeout=TIMEOUT)
        started = time.monotonic()
        problem = ""
        try:
            connection.request("GET", target.path, headers={"Connection": "close", **target.headers})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status not in self._statuses or not body:
                problem = f"status {answer.status}, {len(body)} bytes"
        except (OSError, http.client.HTTPException) as error:
            problem = f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return Request(target, started, time.monotonic() - started, problem)

    def problems(self) -> list[str]:
        return [f"{request.target.path}: {request.problem}" for request in self.done if request.problem]

    def told(self, phases: Mapping[str, tuple[float, float]]) -> str:
        """A line for each phase: how many were asked in it, and how long the longest wait was."""
        lines = []
        for name, (begin, end) in phases.items():
            asked = [request for request in self.done if begin <= request.at < end]
            longest = max(asked, key=lambda request: request.seconds, default=None)
            wait = f"{longest.seconds:.2f} s ({longest.target.path})" if longest else "-"
            lines.append(f"  {name}: {len(asked)} requests in {end - begin:.0f} s, the longest waited {wait}")
        return "\n".join(lines)
