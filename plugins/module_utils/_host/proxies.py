# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes to a proxy and what must not: this host itself, and the other hosts of the same Mission Control.

A proxy in /etc/environment reaches every unit of a user's manager. Clients of Python, Node and curl agree on
names and addresses in no_proxy, each matched as it stands or as a suffix; some of them only know networks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .written_addresses import IPV4_LOOPBACK, IPV6_LOOPBACK

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy")
EXCEPTIONS = "no_proxy"
LOCAL = ("localhost", IPV4_LOOPBACK, IPV6_LOOPBACK)
# Here our units tell their programs whom to ask directly: systemd cannot add to a list that is there.
DIRECT = "MISSION_CONTROL_DIRECT"


def value_of(environment: Mapping[str, str], name: str) -> str:
    """Of a variable that programs read in small letters, and some of them in capitals."""
    return environment.get(name) or environment.get(name.upper()) or ""


def proxy_of(environment: Mapping[str, str]) -> str:
    """The name of a variable that names a proxy; empty where none does."""
    return next((name for name in PROXIES if value_of(environment, name)), "")


def listed(text: str) -> list[str]:
    """The entries of a no_proxy."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def bypasses(text: str, host: str) -> bool:
    """Whether a no_proxy keeps a host from the proxy."""
    name = host.lower().strip("[]")
    for entry in listed(text.lower()):
        plain = entry.strip("[]").lstrip("*").lstrip(".")
        if entry == "*" or name == plain or (plain and name.endswith(f".{plain}")):
            return True
    return False


def sent_to_proxy(environment: Mapping[str, str], hosts: Iterable[str] = LOCAL) -> list[str]:
    """Those of the hosts that a process with this environment would ask by way of a proxy."""
    if not proxy_of(environment):
        return []
    text = ",".join((value_of(environment, EXCEPTIONS), environment.get(DIRECT, "")))
    return [host for host in hosts if not bypasses(text, host)]
