# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: apt_settings
short_description: Divide an environment for downloads into what apt may be told openly and what not
version_added: "1.0.0"
description:
  - The environment of a task is part of a command line on the host, which all of its users can read.
  - Returns the variables that apt knows and that hold no password, and the lines of an apt configuration file
    with the proxies that need one. All other variables are left out.
options:
  _input:
    description: Environment variables.
    type: dict
    required: true
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: See what stays out of the command line
  ansible.builtin.debug:
    msg: "{{ ({'http_proxy': proxy} | openclaw.mission_control.apt_settings).environment }}"
"""

RETURN = r"""
_value:
  description: The two parts.
  type: dict
  contains:
    environment:
      description: Environment variables for the task that runs apt.
      type: dict
    configuration:
      description: Text of a configuration file for C(APT_CONFIG); empty where none is needed.
      type: str
"""

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


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"apt_settings": apt_settings}
