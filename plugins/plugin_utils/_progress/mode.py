# SPDX-License-Identifier: GPL-3.0-or-later
"""Which callback shows a run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ansible import constants as C  # noqa: N812
from ansible.plugins.callback.default import CallbackModule as Default

from .phases import COLLECTION

NAME = f"{COLLECTION}.progress"


def is_as_before(display: Any) -> bool:
    """Whether `progress` leaves everything to Ansible's own callback: the operator looks for details."""
    return display.verbosity > 0 or bool(C.config.get_config_value("ENABLE_TASK_DEBUGGER"))


def shows_progress(display: Any) -> bool:
    """Whether `progress` shows this run, phase by phase."""
    return bool(C.DEFAULT_STDOUT_CALLBACK == NAME) and not is_as_before(display)


def or_as_before(method: Callable[..., None]) -> Callable[..., None]:
    """What happens is told in our way, under the lock of the screen; with -v it is told in Ansible's."""

    @functools.wraps(method)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.as_before:
            getattr(Default, method.__name__)(self, *args, **kwargs)
            return
        with self._display._lock:
            method(self, *args, **kwargs)

    return wrapper
