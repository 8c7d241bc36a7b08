"""Users who ask on while secrets change."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PATH = "/api/v1/boards"
# Longer than a restart takes on a busy machine.
TIMEOUT = 90.0


def status_at(host: str, token: str) -> int:
    """What the API of a host answers to this token."""
    connection = http.client.HTTPConnection(host, 8000, timeout=TIMEOUT)
    try:
        connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}", "Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()


@dataclass
class Users:
    """Several who ask without a pause; who is told that his token is not good takes the other one.

    status: what the API answers to a token.
    problems: what they were told that was no answer to either.
    """

    status: Callable[[str], int]
    tokens: tuple[str, ...]
    number: int = 3
    asked: int = 0
    longest: float = 0.0
    problems: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Users:
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(self.number)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        while not self._over.wait(0.1):
            began = time.monotonic()
            try:
                answers = []
                for token in self.tokens:
                    answers.append(self.status(token))
                    if answers[-1] == 200:
                        break
            except (OSError, http.client.HTTPException) as error:
                self.problems.append(f"{type(error).__name__}: {error}")
                continue
            self.asked += 1
            self.longest = max(self.longest, time.monotonic() - began)
            if answers[-1] != 200:
                self.problems.append(f"answered {answers}")
