# SPDX-License-Identifier: GPL-3.0-or-later
"""What a repository's address says: whom restic will connect to, and what of it is secret."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

# Where restic has the login of a REST server from.
REST_LOGIN = ("RESTIC_REST_USERNAME", "RESTIC_REST_PASSWORD")


def split_login(repository: str) -> tuple[str, dict[str, str]]:
    """A REST server's address without the login in it, and that login as variables of restic's."""
    scheme, _colon, rest = repository.partition(":")
    place, slashes, after = rest.partition("://")
    host, slash, path = after.partition("/")
    login, at, host = host.rpartition("@")
    if scheme != "rest" or not at:
        return repository, {}
    name, _colon, password = login.partition(":")
    values = (unquote(name), unquote(password))
    return f"rest:{place}{slashes}{host}{slash}{path}", dict(zip(REST_LOGIN, values, strict=True))


def server_of(repository: str) -> tuple[str, int] | None:
    """Whom restic will connect to; nothing where only restic knows."""
    scheme, _colon, rest = repository.partition(":")
    try:
        if scheme == "sftp" and not rest.startswith("//"):
            host = rest.partition(":")[0].rpartition("@")[2]
            return (host, 22) if host else None
        parts = urlsplit(repository if scheme == "sftp" else rest)
        ports = {"http": 80, "https": 443, "sftp": 22}
        if scheme in ("s3", "rest", "sftp") and parts.hostname and parts.scheme in ports:
            return parts.hostname, parts.port or ports[parts.scheme]
    except ValueError:
        pass
    return None
