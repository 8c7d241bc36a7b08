# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the playbook rotate.yml works out between its calls to the hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _rotation


def rotation_plan(facts: Any) -> dict[str, Any]:
    """Which secrets are rotated, and what is in the way of it."""
    if not isinstance(facts, Mapping):
        raise AnsibleFilterError("rotation_plan expects a dictionary")
    result: dict[str, Any] = _rotation.plan(facts)
    return result


def rotation_sentence(rotation: Any, given: Any, predicted: bool = False) -> str:
    """What a rotation did, and what is left to the operator."""
    if not isinstance(rotation, Mapping) or not isinstance(given, Mapping):
        raise AnsibleFilterError("rotation_sentence expects dictionaries")
    text: str = _rotation.sentence(rotation, given, predicted=bool(predicted))
    return text


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_plan": rotation_plan, "rotation_sentence": rotation_sentence}
