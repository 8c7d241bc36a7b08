"""The algebra of states and the tree."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import (
    STATES,
    Measure,
    Verdict,
    combine,
    worst,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict_data import verdict_of
from hypothesis import given
from hypothesis import strategies as st

states = st.sampled_from(STATES)
leaves = st.builds(
    Verdict,
    st.text("abc", min_size=1, max_size=4),
    states,
    st.text(max_size=20),
    cause=st.text(max_size=10),
    remedy=st.text(max_size=10),
    kind=st.text("xyz", max_size=5),
    evidence=st.dictionaries(st.text("k", min_size=1), st.integers(), max_size=2),
    measures=st.lists(st.builds(Measure, st.text("m"), st.floats(allow_nan=False)), max_size=2),
)
trees = st.recursive(
    leaves,
    lambda below: st.builds(combine, st.text("abc", min_size=1, max_size=4), st.lists(below, max_size=3)),
)


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        (["pass", "skip"], "pass"),
        (["skip", "skip"], "skip"),
        (["pass", "flaky", "skip"], "flaky"),
        (["flaky", "warn"], "warn"),
        (["warn", "fail", "pass"], "fail"),
        (["fail", "error"], "error"),
        ([], "skip"),
    ],
)
def test_the_worst_state_wins_and_a_skip_never_outranks_a_pass(parts: list[str], state: str) -> None:
    assert worst(parts) == state
    assert combine("x", [Verdict(f"p{number}", part) for number, part in enumerate(parts)]).state == state


@given(trees)
def test_a_tree_is_as_bad_as_its_worst_leaf(tree: Verdict) -> None:
    found = [leaf for _path, leaf in tree.leaves() if leaf.checks or leaf is not tree]
    if tree.checks:
        assert tree.state == worst(leaf.state for leaf in found)


@given(trees)
def test_a_tree_survives_being_plain_data(tree: Verdict) -> None:
    again = verdict_of(tree.to_dict())
    assert again.to_dict() == tree.to_dict()
    assert set(tree.to_dict()) == set(Verdict("x").to_dict())


def test_a_verdict_speaks_with_the_words_of_its_worst_part() -> None:
    verdict = combine(
        "health",
        [
            Verdict("/a", "warn", "slow", cause="c1", remedy="r1", kind="slow"),
            Verdict("/b", "fail", "down", cause="c2", remedy="r2", kind="refused"),
            Verdict("/c", "fail", "down too", cause="c3", remedy="r3", kind="refused"),
        ],
    )
    assert (verdict.summary, verdict.cause, verdict.remedy, verdict.kind) == (
        "/b: down (and 1 more)",
        "c2",
        "r2",
        "refused",
    )


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown state 'good'"):
        Verdict("x", "good")
