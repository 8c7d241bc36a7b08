# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a condition: deadline, back-off with jitter, consecutive successes. No fixed sleeps."""

from __future__ import annotations

import random as _random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Patience:
    """How long and how often something is tried again."""

    deadline: float = 0.0
    interval: float = 1.0
    backoff: float = 1.5
    interval_max: float = 15.0
    jitter: float = 0.2
    successes: int = 1


@dataclass
class Clock:
    """The passage of time, so that tests need none."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = field(default=_random.random)


def pauses(patience: Patience, random: Callable[[], float]) -> Iterator[float]:
    """The waiting times between attempts: growing by the factor, capped, each shaken by the jitter."""
    interval = patience.interval
    while True:
        yield max(0.0, interval * (1 + patience.jitter * (2 * random() - 1)))
        interval = min(interval * patience.backoff, patience.interval_max)


@dataclass
class Waiter:
    """Decides after each attempt whether there is another one, and waits until then."""

    patience: Patience
    clock: Clock = field(default_factory=Clock)
    limit: float | None = None  # monotonic time that nothing may pass, whatever the patience says

    def __post_init__(self) -> None:
        self.started = self.clock.monotonic()
        self._end = self.started + self.patience.deadline
        if self.limit is not None:
            self._end = min(self._end, self.limit)
        self._failing = pauses(self.patience, self.clock.random)
        self.attempts = 0
        self._streak = 0

    def again(self, success: bool) -> bool:
        """Whether to try once more. Successes repeat at the plain interval, failures back off."""
        self.attempts += 1
        self._streak = self._streak + 1 if success else 0
        if success and self._streak >= self.patience.successes:
            return False
        if success:
            self._failing = pauses(self.patience, self.clock.random)
        pause = self.patience.interval if success else next(self._failing)
        if self.clock.monotonic() + pause > self._end:
            return False
        self.clock.sleep(pause)
        return True

    @property
    def stable(self) -> bool:
        """Whether the wished number of consecutive successes was reached."""
        return self._streak >= self.patience.successes
