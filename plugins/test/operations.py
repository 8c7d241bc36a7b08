# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tests with which the playbooks refuse bad input before they call a host."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..module_utils._services.logs import compiled
from ..module_utils._times.moments import moment


def moment_in_time(value: Any) -> bool:
    """Whether the text is a time as service_logs takes it."""
    try:
        moment(str(value), time.time())
    except ValueError:
        return False
    return True


def regular_expression(value: Any) -> bool:
    """Whether the text is a regular expression."""
    try:
        compiled(str(value))
    except ValueError:
        return False
    return True


class TestModule:
    """The tests of this file."""

    def tests(self) -> dict[str, Callable[[Any], bool]]:
        return {"moment_in_time": moment_in_time, "regular_expression": regular_expression}
