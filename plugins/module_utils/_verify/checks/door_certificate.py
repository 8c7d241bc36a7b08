# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front door shows of itself before anything is asked: its certificate, its versions of TLS."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..._cures import CONSIDERED, DECISION, DELIBERATE, Cure
from ..._http.failure import classify
from ..limits import Limit
from ..verdict import FAIL, SKIP, Verdict

DAY = 86400.0

RENEW = (
    "Of the deployment's own authority: deploy again. Of ACME, on the door's host: certbot renew, "
    "which says why it "
    "does not (journalctl -u certbot). Your own: renew it, put it into mission_control_certificate and "
    "deploy."
)
CERTIFICATE = Limit(
    name="certificate",
    option="certificate_days",
    label="front door's certificate validity",
    unit="d",
    digits=1,
    kind="door_certificate_ends",
    cause="The certificate was not renewed. When it ends, no browser lets its user in.",
    remedy=RENEW,
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a certificate that is not believed."""

    kind: str
    cause: str
    remedy: str
    cure: Cure = DECISION


# By the kind of failure, or by what OpenSSL says of it.
FAULTS: dict[str, Fault] = {
    "tls_expired": Fault(
        kind="door_certificate_expired",
        cause="The certificate has expired: no browser lets its user in.",
        remedy=RENEW,
        cure=DELIBERATE,
    ),
    "tls_hostname": Fault(
        kind="door_certificate_name",
        cause="The certificate is made out for another name than the one in mission_control_public_url.",
        remedy="Correct the name in mission_control_public_url if it is wrong, and deploy again: the "
        "deployment's own authority and ACME make one out for it. Yours in mission_control_certificate has "
        "to be of this name.",
        cure=DELIBERATE,
    ),
    "self-signed certificate": Fault(
        kind="door_self_signed",
        cause="The certificate is signed by itself: no browser believes it.",
        remedy="Take a certificate of an authority: mission_control_acme_contact, "
        "mission_control_certificate, or "
        "neither for the deployment's own, and deploy again. Of your own proxy: ssl_certificate (nginx), crt "
        "(HAProxy).",
        cure=DELIBERATE,
    ),
    "unable to get local issuer certificate": Fault(
        kind="door_chain_missing",
        cause="The door does not send its issuer's certificate along, or the issuer is an authority "
        "that is not "
        "trusted here.",
        remedy="Of the deployment's own authority: deploy again. Of another: append its intermediate "
        "certificates to the file that the proxy shows "
        "(fullchain.pem: ssl_certificate of nginx, crt of HAProxy, mission_control_certificate); of an "
        "authority "
        "of your own, name its root in ca_path (verify_ca_path).",
        cure=DELIBERATE,
    ),
}
_OTHER = Fault(
    kind="door_untrusted",
    cause="The certificate is not believed: not yet valid, or signed in a way that is not accepted.",
    remedy="Look at what the proxy shows: openssl s_client -connect HOST:443 -showcerts; and at both clocks.",
)


def judge_fault(error: OSError, *, port: int = 443, taken: Callable[[], bool] = lambda: False) -> Verdict:
    """Why there is no connection with TLS.

    :param port: where it was asked for.
    :param taken: tells whether connections are taken there.
    """
    failure = classify(error, "connect")
    evidence = {"error": failure.message}
    found = FAULTS.get(failure.kind) or FAULTS.get(failure.message)
    if found is None and not failure.kind.startswith("tls_"):
        found = _no_tls(failure.kind, port, taken)
    fault = found or _OTHER
    return Verdict(
        "certificate",
        FAIL,
        failure.message,
        cause=fault.cause,
        remedy=fault.remedy,
        kind=fault.kind,
        cure=fault.cure,
        evidence=evidence,
    )


def _no_tls(failure: str, port: int, taken: Callable[[], bool]) -> Fault:
    """What is in the way of TLS itself, by the kind of failure."""
    if failure == "not_http":
        return Fault(
            kind="door_foreign",
            cause="What listens there speaks no TLS: another program has taken the front door's port while "
            "the door was down, or your own proxy listens without TLS.",
            remedy=f"On its host, as root: see who it is (ss -ltnp 'sport = :{port}') and end it; the door "
            "comes back by itself, and at once with: systemctl restart mission-control-proxy",
        )
    if failure in ("timeout", "connect_timeout", "reset") and taken():
        return Fault(
            kind="door_hangs",
            cause="The front door takes connections and says nothing: it hangs, was stopped by a signal "
            "(SIGSTOP), or has as many connections as it takes.",
            remedy="On its host, as root: systemctl restart mission-control-proxy",
            cure=CONSIDERED,
        )
    return Fault(
        kind="door_closed",
        cause="The front door does not run, or a firewall is before it.",
        remedy="On its host, as root: systemctl restart mission-control-proxy. Where that fails, journalctl "
        "-u mission-control-proxy says why, and deploying again puts back what is gone or was changed: its "
        "unit, its configuration, its key. Your own proxy: see that it listens with TLS at the port of "
        "mission_control_public_url.",
        cure=DELIBERATE,
    )


def judge_certificate(shown: Mapping[str, Any], now: float, options: Mapping[str, Any]) -> Verdict:
    """For how long a certificate that is believed is still valid."""
    import ssl

    if "notAfter" not in shown:
        return Verdict("certificate", SKIP, "not looked at: validate_certs is off")
    days = (ssl.cert_time_to_seconds(str(shown["notAfter"])) - now) / DAY
    return CERTIFICATE.judged(days, f"valid for {days:.0f} days", options)


# Versions of TLS that nobody should speak any more (RFC 8996), by their second number on the wire.
OLD = {1: "TLS 1.0", 2: "TLS 1.1"}


def judge_versions(spoken: Collection[int]) -> Verdict:
    """Whether it speaks any of them.

    :param spoken: those that it accepts.
    """
    if spoken:
        old = [name for minor, name in OLD.items() if minor in spoken]
        return Verdict(
            "tls",
            FAIL,
            f"speaks {' and '.join(old)}",
            cause="The proxy accepts versions of TLS that are broken and forbidden (RFC 8996).",
            remedy="ssl_protocols TLSv1.2 TLSv1.3 (nginx), ssl-min-ver TLSv1.2 (HAProxy), protocols tls1.2 "
            "(Caddy); ours: deploy again.",
            kind="door_old_tls",
            cure=DELIBERATE,
            evidence={"versions": old},
        )
    return Verdict("tls", summary="TLS 1.2 and newer only")
