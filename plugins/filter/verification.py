# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the roles verify and command tell the checks of a host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _verify_settings


def _list(value: Any, name: str) -> list[str]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise AnsibleFilterError(f"{name} expects a list")
    return [str(item) for item in value]


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnsibleFilterError(f"{name} expects a dictionary")
    return value


def host_checks(components: Any) -> list[str]:
    """The checks that belong on a host with these components."""
    return _verify_settings.host_checks(_list(components, "host_checks"))


def listening_ports(settings: Any, components: Any) -> list[dict[str, Any]]:
    """The ports on which something has to listen on this host."""
    name = "listening_ports"
    return _verify_settings.listening_ports(_mapping(settings, name), _list(components, name))


def check_options(defaults: Any, settings: Any, checks: Any) -> dict[str, dict[str, Any]]:
    """Options by check for the host command, without secrets."""
    name = "check_options"
    return _verify_settings.check_options(
        _mapping(defaults, name), _mapping(settings, name), _list(checks, name)
    )


def redis_users(settings: Any) -> list[str]:
    """Who may enter the deployment's own Redis."""
    return _verify_settings.redis_users(_mapping(settings, "redis_users"))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "host_checks": host_checks,
            "listening_ports": listening_ports,
            "check_options": check_options,
            "redis_users": redis_users,
        }
