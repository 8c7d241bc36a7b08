# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import protocol


@pytest.mark.parametrize(
    ("version", "spoken"),
    [
        ("2026.2.9", 3),
        ("2026.4.1", 3),
        ("2026.4.2", 3),
        ("v2026.4.23", 3),
        ("2026.5.7", 3),
        ("2026.5.9-beta.1", 4),
        ("2026.5.9", 4),
        ("2026.5.12", 4),
        ("2026.9.6", 4),
        ("2026.2.8", None),
        ("2026.5.8", None),
        ("2027.1.1", None),
    ],
)
def test_known_versions_have_their_protocol(version: str, spoken: int | None) -> None:
    assert protocol.protocol_of(version) == spoken


def test_spans_are_in_order_and_do_not_overlap() -> None:
    ends = []
    for span in protocol.SPANS:
        ends.append(protocol.parse_version(span.first))
        ends.append(protocol.parse_version(span.last or span.first))
    assert None not in ends
    assert ends == sorted(ends, key=lambda key: key or ())


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026.5.9-beta.1", "2026.5.9-beta.2"),
        ("2026.5.9-beta.2", "2026.5.9-rc.1"),
        ("2026.5.9-rc.1", "2026.5.9"),
        ("2026.3.1", "2026.3.1-1"),
        ("2026.3.1-2", "2026.3.2"),
        ("2026.9.30", "2026.10.1"),
    ],
)
def test_versions_sort_as_they_were_made(older: str, newer: str) -> None:
    first, second = protocol.parse_version(older), protocol.parse_version(newer)
    assert first is not None and second is not None and first < second


@pytest.mark.parametrize("text", ["latest", "", "4.2", "2026.13.1", "2026.1.32", "^2026.4.2", "2026.4.2 "])
def test_what_is_no_exact_version_is_refused(text: str) -> None:
    if text.strip() == "2026.4.2":
        assert protocol.check_pair(text).level == protocol.OK
        return
    finding = protocol.check_pair(text)
    assert finding.level == protocol.REFUSE
    assert protocol.DEFAULT_VERSION in finding.remedy


def test_a_pair_that_cannot_talk_is_refused_with_a_version_that_can() -> None:
    finding = protocol.check_pair("2026.9.6", (3, 3))
    assert (finding.level, finding.protocol) == (protocol.REFUSE, 4)
    assert "protocol mismatch" in finding.message
    assert "2026.2.9 to 2026.5.7" in finding.remedy


def test_a_backend_of_both_protocols_talks_to_both() -> None:
    assert protocol.check_pair("2026.9.6", (3, 4)).level == protocol.OK
    assert protocol.check_pair("2026.4.2", (3, 4)).level == protocol.OK
    assert protocol.check_pair("2026.4.2", (4, 4)).level == protocol.REFUSE


def test_an_unknown_version_only_warns() -> None:
    finding = protocol.check_pair("2027.3.1")
    assert finding.level == protocol.WARN
    assert "newer" in finding.message and "2026.2.9 to 2026.5.7" in finding.remedy


def test_the_default_version_fits_the_default_backend() -> None:
    assert protocol.check_pair(protocol.DEFAULT_VERSION).level == protocol.OK


def test_for_a_protocol_that_nobody_speaks_there_is_no_version() -> None:
    assert protocol.versions_for((7, 9)) == "no known version"
