# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Boards and the registrations of their gateways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _boards


def board_plan(boards: Any, registrations: Any) -> dict[str, Any]:
    """Which boards come along with the registration of their gateway."""
    for value in (boards, registrations):
        if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
            raise AnsibleFilterError("board_plan expects a list of boards and a list of registrations")
    return _boards.plan(boards, registrations)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"board_plan": board_plan}
