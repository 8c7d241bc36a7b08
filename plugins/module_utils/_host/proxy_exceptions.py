# SPDX-License-Identifier: GPL-3.0-or-later
"""How programs are kept from asking a proxy for what is local, or belongs to the same Mission Control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from .proxies import EXCEPTIONS, LOCAL, listed, proxy_of, value_of


def merged(text: str, hosts: Iterable[str]) -> str:
    """A no_proxy with these hosts added."""
    return ",".join(dict.fromkeys([*listed(text), *hosts]))


def with_exceptions(environment: Mapping[str, str], hosts: Iterable[str] = LOCAL) -> dict[str, str]:
    """An environment whose proxies, where it has any, are not asked for these hosts."""
    if not proxy_of(environment):
        return dict(environment)
    text = merged(value_of(environment, EXCEPTIONS), hosts)
    return {**environment, EXCEPTIONS: text, EXCEPTIONS.upper(): text}


def hosts_of(addresses: Iterable[str]) -> list[str]:
    """The hosts of addresses and URLs, LOCAL first, each once."""
    found = [urlsplit(text).hostname or "" if "://" in text else text for text in addresses]
    return list(dict.fromkeys([*LOCAL, *(host for host in found if host)]))
