# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of a front door's answers; the scenario front_door has real ones."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import (
    door_answers,
    door_certificate,
    front_door,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.door_connection import Stream
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict

OPTIONS = {"certificate_days_warning": "14:", "certificate_days_critical": "3:", "stream_seconds": 3.0}
NOW = ssl.cert_time_to_seconds("Jun  1 00:00:00 2026 GMT")


def told(verdict: Verdict) -> tuple[str, str]:
    if verdict.state in ("fail", "warn"):
        assert verdict.cause and verdict.remedy, verdict.summary
    return verdict.state, verdict.kind


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        ("Aug  1 00:00:00 2026 GMT", ("pass", "")),
        ("Jun 10 00:00:00 2026 GMT", ("warn", "door_certificate_ends")),
        ("Jun  2 00:00:00 2026 GMT", ("fail", "door_certificate_ends")),
    ],
)
def test_days_that_are_left(ends: str, found: tuple[str, str]) -> None:
    assert told(door_certificate.judge_certificate({"notAfter": ends}, NOW, OPTIONS)) == found


def test_a_certificate_that_nobody_looks_at_is_skipped() -> None:
    assert told(door_certificate.judge_certificate({}, NOW, OPTIONS)) == ("skip", "")


@pytest.mark.parametrize(
    ("agents", "streamed"),
    [
        ({"items": [], "total": 0}, False),
        # A gateway's own agent belongs to no board: the product leaves it out.
        ({"items": [{"name": "Gateway Agent", "board_id": None}], "total": 1}, False),
        ({"items": [{"board_id": None}, {"board_id": "b1"}], "total": 2}, True),
        ([{"board_id": "b1"}], True),
        (None, False),
    ],
)
def test_of_whom_an_event_is_to_come(agents: Any, streamed: bool) -> None:
    assert front_door.are_streamed(agents) is streamed


def fault(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code, error.verify_message = code, message
    return error


def plain() -> ssl.SSLError:
    """What a client of TLS gets from a server without."""
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (fault(10, "certificate has expired"), "door_certificate_expired"),
        (fault(62, "Hostname mismatch"), "door_certificate_name"),
        (fault(64, "IP address mismatch"), "door_certificate_name"),
        (fault(18, "self-signed certificate"), "door_self_signed"),
        (fault(20, "unable to get local issuer certificate"), "door_chain_missing"),
        (fault(9, "certificate is not yet valid"), "door_untrusted"),
        (ConnectionRefusedError(111, "refused"), "door_closed"),
        (TimeoutError(), "door_closed"),
        (plain(), "door_foreign"),
    ],
)
def test_certificates_that_are_not_believed(error: OSError, kind: str) -> None:
    assert told(door_certificate.judge_fault(error)) == ("fail", kind)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "door_hangs"),
        (ConnectionResetError(104, "reset"), "door_hangs"),
        (ConnectionRefusedError(111, "refused"), "door_closed"),
    ],
)
def test_who_takes_connections_and_says_nothing_hangs(error: OSError, kind: str) -> None:
    assert told(door_certificate.judge_fault(error, taken=lambda: True)) == ("fail", kind)


def test_the_port_that_somebody_else_has_is_named() -> None:
    assert "sport = :8443" in door_certificate.judge_fault(plain(), port=8443).remedy


@pytest.mark.parametrize(("spoken", "found"), [([], ("pass", "")), ([1], ("fail", "door_old_tls"))])
def test_old_versions(spoken: list[int], found: tuple[str, str]) -> None:
    assert told(door_certificate.judge_versions(spoken)) == found


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (Stream(200, {"content-type": "text/event-stream"}, 0.1, 3), ("pass", "")),
        (Stream(200, {}, None), ("fail", "door_stream_buffered")),
        (Stream(), ("fail", "door_stream_buffered")),
        (Stream(200, {"content-encoding": "gzip"}, 0.1), ("fail", "door_stream_packed")),
        (Stream(200, {}, 0.1, 1, 2.0), ("fail", "door_stream_cut")),
        (Stream(502), ("fail", "door_stream_refused")),
        (Stream(404), ("skip", "")),
    ],
)
def test_streams(stream: Stream, found: tuple[str, str]) -> None:
    assert told(door_answers.judge_stream(stream, OPTIONS)) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ((404, {"x-request-id": "a"}, b""), ("pass", "")),
        ((404, {}, b'{"detail":"Not Found","request_id":"a"}'), ("pass", "")),
        ((413, {"content-type": "text/html"}, b"<html>"), ("fail", "door_body_refused")),
        ((0, {}, b""), ("fail", "door_body_refused")),
    ],
)
def test_bodies(answer: tuple[int, dict[str, str], bytes], found: tuple[str, str]) -> None:
    assert told(door_answers.judge_body(*answer)) == found


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        ([401] * 20 + [429] * 2, ("pass", "")),
        ([429] * 22, ("pass", "")),
        ([401] * 22, ("fail", "door_forwarded_believed")),
        ([404] * 22, ("skip", "")),
    ],
)
def test_claimed_addresses(statuses: list[int], found: tuple[str, str]) -> None:
    assert told(door_answers.judge_forged(statuses)) == found


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        (door_answers.judge_past([]), ("pass", "")),
        (door_answers.judge_past(["http://192.0.2.1:8000"]), ("fail", "door_bypassed")),
        (door_answers.judge_upgrade("/ws", 101), ("pass", "")),
        (door_answers.judge_upgrade("/ws", 404), ("fail", "door_websocket")),
    ],
)
def test_what_is_beside_it_and_websockets(verdict: Any, found: tuple[str, str]) -> None:
    assert told(verdict) == found
