# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible.errors import AnsibleFilterError

PROXIES = ("http_proxy", "https_proxy", "ftp_proxy")
# What apt and its methods read besides; see apt.conf(5) and apt-transport-http(1).
KNOWN = ("all_proxy", "no_proxy", "APT_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "LANG", "LC_ALL")


def apt_settings(environment: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, str] = {}
    lines = []
    for name in (*PROXIES, *KNOWN):
        value = str(environment.get(name) or "")
        if not value:
            continue
        if "://" not in value or urlsplit(value).password is None:
            plain[name] = value
        elif any(character in value for character in '"\n\\'):
            raise AnsibleFilterError(
                f"mission_control_download_environment: {name} has a quote, backslash or line break in its "
                "password. Encode it as in any URL: %22 for a quote."
            )
        elif name in PROXIES:
            lines.append(f'Acquire::{name.removesuffix("_proxy")}::Proxy "{value}";\n')
    if lines and (included := plain.pop("APT_CONFIG", "")):
        lines.insert(0, f'#include "{included}";\n')
    return {"environment": plain, "configuration": "".join(lines)}


_FAILED = re.compile(r"^[WE]: (?:Failed to fetch (\S+)\s+(.*)|The repository '([^']+)' (.*))")


def apt_sources_failed(done: Any, host: str = "the host") -> str:
    """What to tell of the sources that apt-get update could not read; nothing where all were."""
    if not isinstance(done, Mapping):
        raise AnsibleFilterError("apt_sources_failed expects the result of a task that ran apt-get update")
    found: dict[str, str] = {}
    for line in f"{done.get('stdout', '')}\n{done.get('stderr', '')}".splitlines():
        if match := _FAILED.match(line.strip()):
            name, reason = (match[1], match[2]) if match[1] else (match[3], match[4])
            found.setdefault(_without_login(name), " ".join(reason.split()).rstrip("."))
    return "\n".join(
        f"Warning: apt on {host} cannot read {name}: {reason}. Correct or remove it in /etc/apt."
        for name, reason in found.items()
    )


def _without_login(address: str) -> str:
    parts = urlsplit(address.split()[0])
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"apt_settings": apt_settings, "apt_sources_failed": apt_sources_failed}
