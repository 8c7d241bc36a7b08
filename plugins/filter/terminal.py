# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A filter for what hosts answer, where a task shows it on the controller's terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._terminal import clean as _clean


def clean(text: Any) -> str:
    """The text without what a terminal obeys."""
    return _clean(str(text))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"clean": clean}
