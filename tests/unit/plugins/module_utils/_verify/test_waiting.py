"""Waiting: deadline, back-off, jitter, consecutive successes. No time passes here."""

from __future__ import annotations

from itertools import islice

from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.waiting import (
    Patience,
    Waiter,
    pauses,
)
from checks_support import FakeTime
from hypothesis import given
from hypothesis import strategies as st


def run(patience: Patience, outcomes: list[bool], limit: float | None = None) -> tuple[Waiter, FakeTime]:
    time = FakeTime()
    waiter = Waiter(patience, time.clock(), limit)
    for outcome in outcomes:
        if not waiter.again(outcome):
            break
    return waiter, time


def test_one_attempt_without_a_deadline() -> None:
    waiter, time = run(Patience(), [False, True])
    assert waiter.attempts == 1 and time.slept == []


def test_the_interval_grows_up_to_its_limit() -> None:
    _waiter, time = run(Patience(deadline=100, interval=1, backoff=2, interval_max=5, jitter=0), [False] * 6)
    assert time.slept == [1, 2, 4, 5, 5, 5]


def test_nothing_passes_the_deadline_or_the_limit() -> None:
    waiter, time = run(Patience(deadline=10, interval=4, backoff=1, jitter=0), [False] * 9)
    assert time.slept == [4, 4] and waiter.attempts == 3
    waiter, time = run(Patience(deadline=100, interval=4, backoff=1, jitter=0), [False] * 9, limit=5)
    assert time.slept == [4] and waiter.attempts == 2


def test_successes_must_follow_one_another() -> None:
    patience = Patience(deadline=100, interval=1, jitter=0, successes=3)
    waiter, _time = run(patience, [True, True, False, True, True, True, True])
    assert waiter.attempts == 6 and waiter.stable


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 10), st.floats(1, 5))
def test_jitter_stays_within_its_share(random: float, jitter: float, interval: float, backoff: float) -> None:
    patience = Patience(interval=interval, backoff=backoff, interval_max=30, jitter=jitter)
    plain = list(
        islice(
            pauses(Patience(interval=interval, backoff=backoff, interval_max=30, jitter=0), lambda: 0.5), 5
        )
    )
    for pause, middle in zip(islice(pauses(patience, lambda: random), 5), plain, strict=True):
        assert 0 <= pause <= middle * (1 + jitter) + 1e-9
        assert pause >= middle * (1 - jitter) - 1e-9
