# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a request came to nothing, with a name for each reason."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from .._host.answering import StrangerError
from .._host.libraries import MissingLibraryError


@dataclass(frozen=True)
class Failure:
    """Why there is no usable answer. `kind` is one of the keys of REASONS."""

    kind: str
    message: str


def _root(error: BaseException | None) -> list[BaseException]:
    """The error and everything it was made from."""
    chain: list[BaseException] = []
    queue: list[Any] = [error]
    while queue:
        item = queue.pop(0)
        # An SSLError's reason is a word, urllib3's is an exception.
        if not isinstance(item, BaseException) or item in chain:
            continue
        chain.append(item)
        queue += [item.__cause__, item.__context__, getattr(item, "reason", None)]
        queue += [argument for argument in item.args if isinstance(argument, BaseException)]
    return chain


def classify(error: BaseException, phase: str = "", expired: bool = False) -> Failure:
    """A name for whatever `requests`, urllib3, http.client, ssl or the system threw."""
    # Loaded with `requests` anyway; checks without HTTP do without.
    import ssl

    chain = _root(error)
    if stranger := next((item for item in chain if isinstance(item, StrangerError)), None):
        return Failure("stranger", str(stranger))
    # The innermost message is the plain one; the outer ones repeat it in brackets of brackets.
    message = next((str(item) for item in reversed(chain) if str(item)), type(error).__name__)
    names = {type(item).__name__ for item in chain}
    if expired or any(isinstance(item, TimeoutError) for item in chain):
        if phase in ("resolve", "connect"):
            return Failure("connect_timeout", "no connection within the time limit")
        return Failure("timeout", f"no complete answer within the time limit (while: {phase or 'request'})")
    if any(isinstance(item, socket.gaierror) for item in chain) or "UnicodeError" in names:
        return Failure("dns", message)
    for item in chain:
        if isinstance(item, ssl.SSLCertVerificationError):
            text = item.verify_message or str(item)
            if item.verify_code == 10:
                return Failure("tls_expired", text)
            if item.verify_code == 9:
                return Failure("tls_not_yet_valid", text)
            if item.verify_code in (62, 64) or "match" in text:
                return Failure("tls_hostname", text)
            return Failure("tls_untrusted", text)
    for item in chain:
        if isinstance(item, ssl.SSLError):
            if "WRONG_VERSION_NUMBER" in str(item) or "HTTP_REQUEST" in str(item):
                return Failure("not_http", f"no TLS there: {item.reason or item}")
            return Failure("tls", str(item.reason or item))
    if any(isinstance(item, ConnectionRefusedError) for item in chain):
        return Failure("refused", "connection refused")
    if names & {"BadStatusLine", "LineTooLong", "UnknownProtocol", "InvalidHeader"} and not (
        names & {"RemoteDisconnected"}
    ):
        return Failure("not_http", message)
    if names & {"IncompleteRead", "InvalidChunkLength"}:
        return Failure("incomplete", "the answer broke off")
    if names & {"RemoteDisconnected", "ConnectionResetError", "BrokenPipeError"} or any(
        isinstance(item, (ConnectionResetError, BrokenPipeError)) for item in chain
    ):
        return Failure("reset", "the connection was closed without an answer")
    if any(isinstance(item, OSError) and item.errno in (101, 113, 99) for item in chain):
        return Failure("unreachable", message)
    return Failure("failed", message)


def load_requests() -> Any:
    """The library, or one clear message."""
    try:
        import requests
    except ImportError as error:
        raise MissingLibraryError("requests", "python3-requests") from error
    return requests
