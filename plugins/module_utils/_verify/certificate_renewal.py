# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the front door's certificate of an ACME authority is renewed in time, and if not, why.

certbot renews it by its timer, twice a day (Debian's package); what it says goes to its own log, which is
root's. A certificate that is not renewed is valid for weeks yet, in which nobody notices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .._cures import DEPLOYMENT, TYPED
from .._host import reading
from .._host.commands import run
from .._host.root_questions import answered_by_root
from .._host.systemd import read_show, show_arguments
from .._redaction import Redactor
from .._times.record_stamps import utc_stamp
from .verdict import WARN, Verdict

NAME = "certificate renewal"
TIMER, SERVICE = "certbot.timer", "certbot.service"
_PROPERTIES = ("ActiveState", "Result", "ExecMainExitTimestamp")
_OBTAINED = Path("/etc/letsencrypt/live/mission-control/fullchain.pem")
_SHOWN = Path("/etc/mission-control/tls/proxy.crt")
_LOG = Path("/var/log/letsencrypt/letsencrypt.log")
# Bytes of the log's end that one run writes at most.
_MOST = 200_000
# What certbot begins the log of a run with, and where it says why one failed (certbot.log, .auth_handler).
_BEGIN = re.compile(r"DEBUG:certbot\._internal\.main:certbot version")
_DETAIL = re.compile(r"^ *Detail: (.+)$", re.MULTILINE)
_FAILED = re.compile(r"Failed to renew certificate mission-control with error: (.+)")


@answered_by_root
def renewal_standing() -> dict[str, Any]:
    """What systemd says of certbot, whether the door shows what it obtained, and the reason of a failure.

    Root tells no more than this of certbot's log.
    """
    shown = read_show(run(["systemctl", *show_arguments([TIMER, SERVICE], _PROPERTIES)]), [TIMER, SERVICE])
    failed = shown[SERVICE].get("Result", "success") != "success"
    obtained, in_place = (_content(path) for path in (_OBTAINED, _SHOWN))
    return {
        "waiting": shown[TIMER].get("ActiveState") == "active",
        "failed": _moment(shown[SERVICE].get("ExecMainExitTimestamp", "")) if failed else "",
        "reason": reason(_log()) if failed else "",
        "obtained": bool(obtained),
        "in_place": obtained == in_place,
    }


def _moment(shown: str) -> str:
    """Of systemctl's @SECONDS."""
    return utc_stamp(float(shown[1:])) if re.fullmatch(r"@\d+", shown) else "an unknown time"


def _content(path: Path) -> str:
    try:
        return reading.read_regular(path)
    except OSError:
        return ""


def _log() -> str:
    try:
        with _LOG.open("rb") as log:
            log.seek(max(0, _LOG.stat().st_size - _MOST))
            return log.read(_MOST).decode("utf-8", "replace")
    except OSError:
        return ""


def reason(log: str) -> str:
    """Why the last run of certbot failed, in the authority's words or its own; empty where it is silent."""
    begins = [found.start() for found in _BEGIN.finditer(log)]
    last = log[begins[-1] :] if begins else log
    details = list(dict.fromkeys(detail.strip() for detail in _DETAIL.findall(last)))
    errors = _FAILED.findall(last)
    return " ".join(details or errors[-1:])[:600]


def _failed(moment: str, why: str) -> Verdict:
    return Verdict(
        NAME,
        WARN,
        f"the last renewal failed at {moment}: {why or 'certbot does not say why'}",
        cause="certbot did not get a new certificate of the ACME authority. It tries again twice a day; when"
        " the one that is shown ends, no browser lets its user in.",
        remedy="Put right what the authority names (it asks by http, on port 80 of the public name), then"
        " systemctl start certbot.service, which fails again where it is not. All that certbot says is in"
        " /var/log/letsencrypt/letsencrypt.log.",
        kind="renewal_fails",
        evidence={"failed": moment, "reason": why},
    )


def judge_renewal(redactor: Redactor, look: Callable[[], Mapping[str, Any]] = renewal_standing) -> Verdict:
    """The verdict on all of it."""
    found = look()
    if found["failed"]:
        return _failed(found["failed"], redactor.text(found["reason"]))
    if not found["obtained"]:
        return Verdict(
            NAME,
            WARN,
            "certbot has no certificate for the door",
            cause="The ACME authority has issued none yet, or somebody has deleted it.",
            remedy="Deploy again: that asks for one, and says why there is none.",
            kind="renewal_nothing",
            cure=DEPLOYMENT,
        )
    if not found["waiting"]:
        return Verdict(
            NAME,
            WARN,
            f"{TIMER} does not run",
            cause="Nobody renews the certificate. When it ends, no browser lets its user in.",
            remedy="systemctl enable --now certbot.timer",
            kind="renewal_timer",
            cure=TYPED,
        )
    if not found["in_place"]:
        return Verdict(
            NAME,
            WARN,
            "the door shows another certificate than certbot obtained last",
            cause="certbot's hook, which puts it in place, failed or is gone.",
            remedy="RENEWED_LINEAGE=/etc/letsencrypt/live/mission-control"
            " /etc/mission-control/proxy/renewed.sh; where that fails, deploy again.",
            kind="renewal_not_in_place",
        )
    return Verdict(NAME, summary="certbot renews the certificate")
