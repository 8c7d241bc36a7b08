# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long the certificates of database and queue are still valid."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .._cures import DEPLOYMENT
from .limits import Limit
from .verdict import Verdict

DAY = 86400.0
CERTIFICATE = Limit(
    name="certificate",
    option="certificate_days",
    label="certificate validity",
    unit="d",
    kind="server_certificate",
    cause="A certificate was not renewed; when it ends, nobody can log in any more.",
    remedy="Deploy again: a deployment renews the certificates that it made. Renew your own in their files.",
    cure=DEPLOYMENT,
)
# PostgreSQL is asked for TLS in its own protocol first (SSLRequest), and answers S before the handshake.
_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


def judge_certificate(ends: float | None, now: float, options: Mapping[str, Any]) -> list[Verdict]:
    """The verdict on a certificate that was seen; none where there was none.

    :param ends: when it becomes invalid, in seconds since 1970.
    """
    if ends is None:
        return []
    days = (ends - now) / DAY
    return [CERTIFICATE.judged(days, f"the server's certificate is valid for {days:.0f} days", options)]


def postgresql_certificate_ends(url: str, timeout: float) -> float | None:
    """When the certificate that PostgreSQL shows becomes invalid; None where none is checked or can be seen.

    Only of an address that has it checked (sslmode=verify-ca, verify-full): libpq does not tell.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if not query.get("sslmode", "").startswith("verify-") or not parts.hostname:
        return None
    import ssl

    try:
        context = ssl.create_default_context(cafile=query.get("sslrootcert") or None)
        context.check_hostname = False  # libpq has just done so
        with socket.create_connection((parts.hostname, parts.port or 5432), timeout) as plain:
            plain.sendall(_SSL_REQUEST)
            if plain.recv(1) != b"S":
                return None
            with context.wrap_socket(plain, server_hostname=parts.hostname) as wrapped:
                shown = wrapped.getpeercert() or {}
    except (OSError, ValueError):
        return None
    return float(ssl.cert_time_to_seconds(str(shown["notAfter"]))) if "notAfter" in shown else None
