# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a certificate and its key that the operator gave."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ...module_utils._host import addresses
from .model import PREFIX, Problem

if TYPE_CHECKING:
    from cryptography import x509


def pem_problems(
    chain: str, key: str, names: Mapping[str, str], now: datetime.datetime | None = None
) -> Iterator[Problem]:
    """What is wrong with a certificate and its key.

    :param chain: the server's certificate and those of the authorities between it and the root, PEM.
    :param key: its key, PEM; never shown.
    :param names: by which clients ask, or addresses, with the variables that say so.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        found = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        yield _fault("certificate", "is not a certificate in PEM", "give the file as the authority sent it")
        return
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        yield _fault(
            "certificate_key",
            "is not a private key in PEM, or has a passphrase, which nobody would type at a start",
            "give the key without one, from the vault",
        )
        return
    leaf = found[0]
    if _bytes_of(leaf.public_key()) != _bytes_of(private.public_key()):
        yield _fault(
            "certificate_key",
            "does not fit the certificate: it is the key of another one",
            "give the key that the certificate was asked for with; the server's certificate comes first in "
            f"{PREFIX}_certificate",
        )
    yield from _dates(leaf, now or datetime.datetime.now(datetime.UTC))
    yield from _issuers(found)
    lacking = {name: variable for name, variable in names.items() if name and not _is_for(leaf, name)}
    if lacking:
        known, wanted = ", ".join(_names(leaf)) or "nobody", " and ".join(filter(None, names))
        yield _fault(
            "certificate",
            f"is made out for {known}, not for {' and '.join(lacking)}",
            f"give one for {wanted}, or the right name in "
            f"{' and '.join(f'{PREFIX}_{variable}' for variable in lacking.values())}",
        )


def _fault(variable: str, message: str, remedy: str, *, warning: bool = False) -> Problem:
    return Problem("certificate", f"{PREFIX}_{variable}", message=message, remedy=remedy, warning=warning)


def _bytes_of(public: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return bytes(
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _moment(leaf: x509.Certificate, which: str) -> datetime.datetime:
    """A date of a certificate. Before its version 42 cryptography tells it without a zone, which is UTC."""
    known: datetime.datetime = getattr(leaf, f"{which}_utc", None) or getattr(leaf, which).replace(
        tzinfo=datetime.UTC
    )
    return known


def _dates(leaf: x509.Certificate, now: datetime.datetime) -> Iterator[Problem]:
    begins, ends = _moment(leaf, "not_valid_before"), _moment(leaf, "not_valid_after")
    if ends <= now:
        yield _fault("certificate", f"expired on {ends:%Y-%m-%d}", "renew it with its authority")
    elif begins > now:
        yield _fault(
            "certificate",
            f"is not valid before {begins:%Y-%m-%d %H:%M} UTC",
            "see that the clock of the controller is right, or wait",
        )


def _issuers(found: Sequence[x509.Certificate]) -> Iterator[Problem]:
    leaf = found[0]
    if leaf.issuer == leaf.subject:
        yield _fault(
            "certificate",
            "is self-signed, and no browser believes it",
            "leave certificate and key out: the deployment's own authority then issues one that it can tell "
            "clients of; or give one of a public authority",
        )
    elif len(found) == 1:
        yield _fault(
            "certificate",
            f"comes alone, without that of its issuer ({leaf.issuer.rfc4514_string()}): programs that do not "
            "know that one refuse it",
            "append the authority's intermediate certificates (fullchain.pem); if a root issued it itself, "
            "all is well",
            warning=True,
        )
    elif any(one.issuer != other.subject for one, other in pairwise(found)):
        yield _fault(
            "certificate",
            "has a chain that does not follow: each certificate has to be followed by that of its issuer",
            "put the server's certificate first, then its issuer's, and so on",
        )


def _names(leaf: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]


def _is_for(leaf: x509.Certificate, name: str) -> bool:
    """Whether a certificate is made out for a name: a wildcard stands for one label (RFC 6125, 6.4.3)."""
    wanted = addresses.canonical(name).lower()
    return any(
        known.lower() == wanted
        or (known.startswith("*.") and wanted.partition(".")[2] == known[2:].lower() != "")
        for known in _names(leaf)
    )
