# SPDX-License-Identifier: GPL-3.0-or-later
"""What options are made of: their form, and what an argument specification makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._application.components import APPLICATION, service_unit

Option = dict[str, Any]
Options = dict[str, Option]

# The units of the application, as an operator calls them.
UNITS = [service_unit(name).removesuffix(".service") for name in sorted(APPLICATION)]


def option(kind: str, default: Any = None, **more: Any) -> Option:
    """An option of an argument specification.

    Its `form` is called with a value that is given, and raises ValueError where an argument specification
    cannot tell that it makes no sense. What the option means says docs/writer/option_texts.py.
    """
    found: Option = {"type": kind, **more}
    if default is not None:
        found["default"] = default
    return found


def listed(default: list[Any] | None = None, elements: str = "str", **more: Any) -> Option:
    """An option that is a list."""
    return option("list", default, elements=elements, **more)


def specification(options: Options) -> dict[str, Any]:
    """An argument specification for AnsibleModule."""
    return {name: specified(one) for name, one in options.items()}


def specified(one: Mapping[str, Any]) -> dict[str, Any]:
    """An option without what an argument specification does not know, however deep."""
    kept = {key: value for key, value in one.items() if key != "form"}
    if "options" in kept:
        kept["options"] = specification(kept["options"])
    return kept
