# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._terminal import clean_data


def fail(module: AnsibleModule, failure: Mapping[str, Any]) -> NoReturn:
    """End the module with a failure, of which Ansible shows everything: nothing in it moves a terminal."""
    module.fail_json(**clean_data(failure))
    raise RuntimeError("fail_json has returned")
