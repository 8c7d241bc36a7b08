# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules fail, and what is shown of those that do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._terminal import clean_data

# What Ansible and callbacks show of a success.
_SHOWN = ("msg", "diff", "warnings", "deprecations")


def fit_to_show(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a success: nothing in what Ansible shows of it moves a terminal, all else is exact."""
    return {name: clean_data(value) if name in _SHOWN else value for name, value in answer.items()}


def fail(module: AnsibleModule, failure: Mapping[str, Any]) -> NoReturn:
    """End the module with a failure, of which Ansible shows everything: nothing in it moves a terminal."""
    module.fail_json(**clean_data(failure))
    raise RuntimeError("fail_json has returned")
