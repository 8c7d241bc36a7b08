# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A filter for what hosts answer, where a task shows it on the controller's terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._terminal import clean_data


def clean(value: Any) -> Any:
    """A text, or data with its texts, without what a terminal obeys."""
    return clean_data(value)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"clean": clean}
