# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What options are made of: their form, and what an argument specification makes of them."""

from __future__ import annotations

from typing import Any

from .._application.components import APPLICATION, service_unit

Option = dict[str, Any]
Options = dict[str, Option]

# The units of the application, as an operator calls them.
UNITS = [service_unit(name).removesuffix(".service") for name in sorted(APPLICATION)]


def option(kind: str, description: str, default: Any = None, **more: Any) -> Option:
    """An option of an argument specification, with its description."""
    found: Option = {"type": kind, "description": description, **more}
    if default is not None:
        found["default"] = default
    return found


def listed(description: str, default: list[Any] | None = None, elements: str = "str", **more: Any) -> Option:
    """An option that is a list."""
    return option("list", description, default, elements=elements, **more)


def pair(prefix: str, what: str, warning: str = "", critical: str = "") -> Options:
    """The two limits of a measure."""
    note = "A range in the syntax of the monitoring plugins; empty for none."
    return {
        f"{prefix}_warning": option("str", f"Warn when {what} is outside of this range. {note}", warning),
        f"{prefix}_critical": option("str", f"Fail when {what} is outside of this range. {note}", critical),
    }


def specification(options: Options) -> dict[str, Any]:
    """An argument specification for AnsibleModule."""
    return {
        name: {key: value for key, value in one.items() if key != "description"}
        for name, one in options.items()
    }


def defaults(options: Options) -> dict[str, Any]:
    """The options' defaults, for the runner that has no Ansible."""
    return {name: one.get("default") for name, one in options.items()}
