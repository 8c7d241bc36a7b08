"""Thresholds, durations, sizes and times."""

from __future__ import annotations

import math

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._times.amounts import brief, size
from ansible_collections.openclaw.mission_control.plugins.module_utils._times.durations import duration
from ansible_collections.openclaw.mission_control.plugins.module_utils._times.since import since
from ansible_collections.openclaw.mission_control.plugins.module_utils._times.timestamps import timestamp
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.thresholds import (
    judge,
    parse_range,
)
from hypothesis import given
from hypothesis import strategies as st

numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))


@pytest.mark.parametrize(
    ("text", "fine", "alert"),
    [
        ("10", [0, 5, 10], [-1, 10.1]),
        ("10:", [10, 1e9], [9.9, -1]),
        ("~:10", [-1e9, 10], [10.1]),
        ("10:20", [10, 20], [9, 21]),
        ("@10:20", [9, 21], [10, 15, 20]),
        ("@10", [-1, 11], [0, 10]),
        (" 1.5e1 ", [15], [16]),
        (":5", [0, 5], [-1, 6]),
        ("0", [0], [1, -1]),
        ("-5:-1", [-3], [0]),
    ],
)
def test_ranges_of_the_monitoring_plugins(text: str, fine: list[float], alert: list[float]) -> None:
    found = parse_range(text)
    assert [value for value in fine if found.alerts(value)] == []
    assert [value for value in alert if not found.alerts(value)] == []


@pytest.mark.parametrize(
    "text", ["", "a", "10:5", ":", "@", "~", "10:20:30", "5 :", "0x10", "nan", "inf", "--1"]
)
def test_what_is_no_range_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid range"):
        parse_range(text)


@given(numbers, numbers, numbers)
def test_inside_is_the_opposite(start: float, end: float, value: float) -> None:
    low, high = sorted((start, end))
    assert parse_range(f"{low}:{high}").alerts(value) != parse_range(f"@{low}:{high}").alerts(value)


@given(numbers, numbers)
def test_a_range_holds_its_own_ends(start: float, end: float) -> None:
    low, high = sorted((start, end))
    found = parse_range(f"{low}:{high}")
    assert not found.alerts(low) and not found.alerts(high)
    assert found.alerts(math.nan)


@given(st.text(max_size=12))
def test_any_text_is_a_range_or_a_clear_refusal(text: str) -> None:
    try:
        found = parse_range(text)
    except ValueError as error:
        assert "is not a valid range" in str(error)
    else:
        assert found.start <= found.end


@pytest.mark.parametrize(
    ("value", "state"), [(5, "pass"), (15, "warn"), (25, "fail"), (math.nan, "fail"), (-1, "fail")]
)
def test_the_critical_threshold_comes_first(value: float, state: str) -> None:
    assert judge(value, "10", "20") == state


def test_empty_thresholds_judge_nothing() -> None:
    assert judge(1e9, "", "") == judge(1e9, None, None) == "pass"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("90s", 90), ("15m", 900), ("15min", 900), ("1h30m", 5400), ("7d", 604800),
     ("1w", 604800), ("500ms", 0.5), ("1h 30m", 5400), (5, 5)],
)  # fmt: skip
def test_durations(text: str | float, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "h", "5 parsecs", "-5", "1h!", "nan", "inf", "m5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid duration"):
        duration(text)


def test_since_when() -> None:
    assert since("15m", 10_000) == 9_100
    assert since("2026-11-24T13:00:10", 0) == 1795525210.0
    for text in ("soon", "-5", "13:00", ""):
        with pytest.raises(ValueError, match="neither a duration nor a time"):
            since(text, 0)


@given(st.integers(0, 50), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_durations_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert duration(f"{days}d{hours}h{minutes}m{seconds}s") == total


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2026-11-24T13:00:10", 1795525210.0),
        ("2026-11-24T13:00:10Z", 1795525210.0),
        ("2026-11-24T14:00:10+01:00", 1795525210.0),
        ("2026-11-24 13:00:10.5", 1795525210.5),
        (1795525210000, 1795525210.0),
        (1795525210, 1795525210.0),
    ],
)
def test_times_without_a_zone_are_utc_and_long_numbers_are_milliseconds(
    value: object, seconds: float
) -> None:
    assert timestamp(value) == seconds


@pytest.mark.parametrize("value", [None, "", "yesterday", True, float("nan"), [], {}])
def test_what_is_no_time_is_none(value: object) -> None:
    assert timestamp(value) is None


def test_figures_for_people() -> None:
    assert [brief(value) for value in (0.05, 3, 59, 600, 9000, 400000)] == [
        "50 ms", "3.0 s", "59 s", "10 min", "2 h", "5 days",
    ]  # fmt: skip
    assert [size(value) for value in (5, 2048, 3 * 2**20, 5 * 2**40)] == [
        "5 B",
        "2.0 KiB",
        "3.0 MiB",
        "5.0 TiB",
    ]
