"""Whether certbot renews the door's certificate: its timer, its last run and the reason in its log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import (
    certificate_renewal as renewal,
)

# As certbot 4.0 of Debian 13 writes it.
ERROR = (
    "2026-11-28 03:12:52,001:ERROR:certbot._internal.renewal:"
    "Failed to renew certificate mission-control with error: {}\n"
)
RUN = """\
2026-11-28 03:12:44,100:DEBUG:certbot._internal.main:certbot version: 4.0.0
2026-11-28 03:12:44,101:DEBUG:certbot._internal.main:Arguments: ['-q', 'renew', '--no-random-sleep-on-renew']
"""
REFUSED = f"""{RUN}\
2026-11-28 03:12:51,210:DEBUG:certbot._internal.display.obj:Notifying user:
Certbot failed to authenticate some domains (authenticator: standalone). The CA reported these problems:
  Domain: mc.example.com
  Type:   connection
  Detail: 192.0.2.7: Fetching http://mc.example.com/.well-known/acme-challenge/x: Connection refused

{ERROR.format("Some challenges have failed.")}"""
LIMITED = RUN + ERROR.format("too many certificates already issued")
# What systemctl shows of the timer and of the service.
SHOWN = """\
ActiveState=active
Result=success

ActiveState=failed
Result=exit-code
ExecMainExitTimestamp=@1764298372
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (
            REFUSED,
            "192.0.2.7: Fetching http://mc.example.com/.well-known/acme-challenge/x: Connection refused",
        ),
        (LIMITED, "too many certificates already issued"),
        # Of the last run alone.
        (REFUSED + LIMITED, "too many certificates already issued"),
        (REFUSED + RUN, ""),
        ("", ""),
        # The end of a long log may begin in the middle of a run.
        (
            REFUSED[-400:],
            "192.0.2.7: Fetching http://mc.example.com/.well-known/acme-challenge/x: Connection refused",
        ),
    ],
)
def test_the_reason_is_that_of_the_last_run(log: str, told: str) -> None:
    assert renewal.reason(log) == told


def standing(**others: Any) -> dict[str, Any]:
    return {"waiting": True, "failed": "", "reason": "", "obtained": True, "in_place": True, **others}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ({}, ""),
        ({"failed": "2026-11-28T03:12:52Z", "reason": "Connection refused"}, "renewal_fails"),
        ({"failed": "2026-11-28T03:12:52Z", "obtained": False, "in_place": False}, "renewal_fails"),
        ({"obtained": False, "in_place": False}, "renewal_nothing"),
        ({"waiting": False}, "renewal_timer"),
        ({"in_place": False}, "renewal_not_in_place"),
    ],
)
def test_each_state_has_its_verdict(found: dict[str, Any], kind: str) -> None:
    verdict = renewal.judge_renewal(Redactor([]), lambda: standing(**found))
    assert (verdict.kind, verdict.state) == (kind, "warn" if kind else "pass")
    assert found.get("reason", "") in verdict.summary
    assert bool(verdict.cause and verdict.remedy) == bool(kind)


def test_a_reason_shows_no_secret() -> None:
    found = standing(failed="x", reason="unauthorized: s3cret-of-an-account-0123456789")
    verdict = renewal.judge_renewal(Redactor(["s3cret-of-an-account-0123456789"]), lambda: found)
    assert "s3cret" not in f"{verdict.summary}{verdict.evidence}"


def test_systemd_and_both_files_are_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_OBTAINED", "_SHOWN", "_LOG"):
        monkeypatch.setattr(renewal, name, tmp_path / name)
        (tmp_path / name).write_text(REFUSED if name == "_LOG" else "certificate")
    monkeypatch.setattr(renewal, "run", lambda argv: Completed(tuple(argv), 0, SHOWN))
    found = renewal.renewal_standing()
    assert found.pop("reason").endswith("Connection refused")
    assert found == {"waiting": True, "failed": "2025-11-28T02:52:52Z", "obtained": True, "in_place": True}
    (tmp_path / "_SHOWN").write_text("another")
    assert renewal.renewal_standing()["in_place"] is False
