# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils import _bundle
from ..module_utils._host.deployment_errors import DeploymentError

DOCUMENTATION = r"""
name: bundle_digest
short_description: Tell by one digest whether a host has what it uses of a bundle
version_added: "1.0.0"
description:
  - Returns the SHA-256 that C(installed.json) has on a host once M(openclaw.mission_control.bundle) has
    brought the bundle's parts for these components there.
positional: components
options:
  _input:
    description: Path of the bundle on the controller.
    type: str
    required: true
  components:
    description: What shall run on the host.
    type: list
    elements: str
    required: true
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: See whether anything has to be sent
  ansible.builtin.debug:
    msg: "{{ mission_control_bundle | openclaw.mission_control.bundle_digest(['postgresql', 'redis']) }}"
"""

RETURN = r"""
_value:
  description: The digest.
  type: str
"""


def bundle_digest(path: str, components: Iterable[str]) -> str:
    try:
        digest: str = _bundle.installed_digest(Path(path).expanduser(), components)
    except DeploymentError as error:
        raise AnsibleFilterError(f"{error.message} {error.remedy}") from None
    return digest


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"bundle_digest": bundle_digest}
