# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of the module adoption: what was found is put below what the inventory says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._terminal import clean
from ..plugin_utils import _adoption_settings
from ..plugin_utils._preflight.inventory import PUBLIC_VARIABLES

_KINDS = {
    "guide": "set up by hand after the guide",
    "installer": "made by the product's installer",
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs the module; for state read it settles what becomes of the settings."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        facts = task_vars or {}
        result.update(
            self._execute_module(
                module_name="openclaw.mission_control.adoption", module_args=self._task.args, task_vars=facts
            )
        )
        if self._task.args.get("state", "read") == "read" and result.get("found"):
            resolved = _adoption_settings.resolve({**result["public"], **result}, self._named(facts))
            result["facts"] = resolved.facts
            result["summary"] = summary(str(facts.get("inventory_hostname", "")), result, resolved.table)
        return result

    def _named(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The variables that the host has; one that cannot be resolved is the preflight's business."""
        named = {}
        for name in sorted(PUBLIC_VARIABLES):
            if name in facts:
                try:
                    named[name] = self._templar.template(facts[name])
                except AnsibleError:
                    # It is named, whatever it may be.
                    named[name] = "undefined"
        return named


def summary(host: str, found: Mapping[str, Any], table: str) -> str:
    """What is taken over, for a reader."""
    public = found["public"]
    revision = f", revision {public['revision']}" if public["revision"] else ""
    lines = [f"{host}: takes over Mission Control in {public['tree']}, {_KINDS[public['kind']]}{revision}."]
    for unit in public["units"]:
        state = "running" if unit["active"] else "not running"
        lines.append(f"  unit      {unit['name']} ({state}): stopped and put aside")
    for process in public["processes"]:
        numbers = ", ".join(map(str, process["pids"]))
        lines.append(f"  process   {process['part']}, of no unit (PID {numbers}): ended")
    if public["entries"]:
        lines.append(f"  tree      moved to {found['kept']}")
    else:
        lines.append(f"  tree      {public['tree']} stays where it is")
    if public["identity"]:
        lines.append(f"  identity  {public['identity']}: copied, gateways go on knowing it")
    lines.append(
        "  Nothing is deleted; what was put aside comes back if the new release does not pass its gate."
    )
    return clean("\n".join([*lines, "", table]).rstrip())
