# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that download and build: side by side, without logins, and why npm, uv, pip or Git failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._shown_settings import holds_secret
from .accounts import Account
from .build_obstacles import explain
from .clean_environment import application_environment
from .deployment_errors import CancelledError
from .logged_commands import Commands
from .obstacles import Reason
from .proxy_exceptions import with_exceptions


class BuildCommands(Commands):
    """Commands that run other people's code, or fetch it."""

    def explain(self, output: Iterable[str]) -> Reason:
        """The reason of a failure, also as the tools of builds tell it."""
        return explain(output)

    @property
    def no_logins(self) -> dict[str, str]:
        """The variables that hold a password or a token, emptied: for what runs other people's code."""
        return {name: "" for name, value in self.environment.items() if holds_secret(name, value)}

    def side_by_side(self, *jobs: Callable[[], Any]) -> list[Any]:
        """Run jobs in threads of their own; the first failure ends the others and is the one raised."""
        results: list[Any] = [None] * len(jobs)
        errors: list[BaseException] = []

        def work(index: int, job: Callable[[], Any]) -> None:
            try:
                results[index] = job()
            except BaseException as error:  # also what is no Exception must reach the caller
                errors.append(error)
                self.cancel()

        threads = [threading.Thread(target=work, args=pair, daemon=True) for pair in enumerate(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in errors:
            if not isinstance(error, CancelledError):
                raise error
        if errors:
            raise errors[0]
        return results


def download_environment(account: Account, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of builds and downloads: clean, and of the operator's only what he named."""
    named = {name: str(value) for name, value in (extra or {}).items()}
    return {**application_environment(account), **with_exceptions(named)}
