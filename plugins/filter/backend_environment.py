# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils import _shown_settings
from ..module_utils._application import environment
from ..module_utils._host.deployment_errors import DeploymentError

DOCUMENTATION = r"""
name: backend_environment
short_description: Settle the environment of Mission Control's backend
version_added: "1.0.0"
description:
  - Lays overrides over the mapping of all settings of the product, and additions over both.
  - The product ignores a misspelt name silently. Here an override that is no setting is an error that names
    the
    likely one; so is an addition that is a setting.
positional: overrides, additional, secret_settings
options:
  _input:
    description: The mapping of all settings.
    type: dict
    required: true
  overrides:
    description: Settings by name that differ.
    type: dict
    default: {}
  additional:
    description: Other variables of the processes' environment.
    type: dict
    default: {}
  secret_settings:
    description: Names whose values are secret, besides those whose name or value says so.
    type: list
    elements: str
    default: []
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Settle the settings
  ansible.builtin.set_fact:
    settled: "{{ all_settings | openclaw.mission_control.backend_environment({'LOG_LEVEL': 'DEBUG'}, {'TZ':
      'UTC'}) }}"
"""

RETURN = r"""
_value:
  description: The settings in two parts, C(public) and C(secret).
  type: dict
"""


def backend_environment(
    settings: Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    additional: Mapping[str, Any] | None = None,
    secret_settings: Sequence[str] = (),
) -> dict[str, dict[str, str]]:
    """All settings as texts, parted into what may be shown and what may not."""
    problems = []
    for name in overrides or {}:
        if name not in settings:
            near = difflib.get_close_matches(str(name).upper(), settings, 1, 0.6)
            meant = (
                f"did you mean {near[0]}?"
                if near
                else "a variable of your own goes into backend_additional_environment."
            )
            problems.append(f"backend_environment: {name} is not a setting of the product; {meant}")
    for name in additional or {}:
        if name in settings:
            problems.append(
                f"backend_additional_environment: {name} is the product's; set it in backend_environment."
            )
    if problems:
        raise AnsibleFilterError(" ".join(problems))
    try:
        values = environment.texts({**settings, **(overrides or {}), **(additional or {})})
    except DeploymentError as error:
        raise AnsibleFilterError(f"{error.message} {error.remedy}") from None
    secret = {
        n: value for n, value in values.items() if _shown_settings.holds_secret(n, value, secret_settings)
    }
    return {"public": {name: value for name, value in values.items() if name not in secret}, "secret": secret}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"backend_environment": backend_environment}
