# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks at the settings of a gateway on the controller; no host is asked."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._application.components import PORTS
from ..plugin_utils._preflight import gateway


class ActionModule(ActionBase):  # type: ignore[misc]
    """Reports all problems in one message."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "deployed": {"type": "bool", "default": True},
                "version": {"type": "str", "default": ""},
                "backend_protocol": {"type": "list", "elements": "int", "default": [3]},
                "policy": {"type": "str", "choices": ["refuse", "warn"], "default": "refuse"},
                "host": {"type": "str", "default": ""},
                "backend_hosts": {"type": "list", "elements": "str", "default": []},
                "bind": {"type": "str", "default": "loopback"},
                "bind_host": {"type": "str", "default": ""},
                "port": {"type": "int", "default": PORTS["gateway"]},
                "url": {"type": "str", "default": ""},
                "token": {"type": "str", "default": "", "no_log": True},
                "allowed_origins": {"type": "list", "elements": "str", "default": []},
                "configuration": {"type": "dict", "default": {}},
                "registrations": {"type": "list", "elements": "dict", "default": []},
                "boards": {"type": "list", "elements": "dict", "default": []},
            }
        )
        protocols = options.pop("backend_protocol") or [3]
        for name in ("backend_hosts", "allowed_origins", "registrations", "boards"):
            options[name] = tuple(options[name])
        settings = gateway.Settings(backend_protocols=(min(protocols), max(protocols)), **options)
        found = gateway.check(settings)
        result["warnings"] = [str(warning) for warning in found.warnings]
        result["problems"] = [str(problem) for problem in found.problems]
        result["changed"] = False
        result["version"] = options["version"]
        # The arguments hold tokens, which no output may show.
        result["_ansible_no_log"] = False
        if found.problems:
            result["failed"] = True
            result["msg"] = "\n".join(result["problems"])
        return result
