# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What thin modules share: how their work ends, and options that hold secrets among harmless values."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._host import privileges
from ._host.accounts import Account
from ._host.errors import HostError, os_error
from ._redaction import MINIMUM, secrets

_ENVIRONMENTS = ("environment", "download_environment", "backend_environment", "frontend_environment")


class DiscreetModule(AnsibleModule):  # type: ignore[misc]
    """Keeps just the secrets out of result, invocation and journal; no_log would hide the rest, too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._hide_secrets()

    def _load_params(self) -> None:
        super()._load_params()
        # Already now: before it is made, AnsibleModule tells the journal what it was called with, or fails.
        self._hide_secrets()

    def _hide_secrets(self) -> None:
        found = secrets({"source": self.params.get("source")})
        for name in _ENVIRONMENTS:
            if isinstance(environment := self.params.get(name), Mapping):
                found += secrets(environment)
        self.no_log_values.update(secret for secret in found if len(secret) >= MINIMUM)


def finish(
    module: AnsibleModule, work: Callable[[], Mapping[str, Any]], so_far: Mapping[str, Any] | None = None
) -> NoReturn:
    """Do the work and end the module with what it returns, or with what went wrong.

    `so_far` is returned with a failure; the work may keep in it what it has done already.
    """
    try:
        answer = work()
    except HostError as error:
        module.fail_json(**{**(so_far or {}), **error.result()})
    except OSError as error:
        module.fail_json(**{**(so_far or {}), **os_error(error).result()})
    module.exit_json(**answer)
    raise AssertionError("exit_json has returned")


def run_as_user(
    module: AnsibleModule,
    work: Callable[[Account], Mapping[str, Any]],
    *,
    without_user: Mapping[str, Any] | None = None,
    so_far: Mapping[str, Any] | None = None,
    afterwards: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda answer: answer,
) -> NoReturn:
    """Do the work in a child process that has become the module's `user` for good, and end the module.

    `without_user` is the answer on a host that has no such user; without it, that is a failure. `so_far` is
    returned with a failure. `afterwards` is what the module's own process adds to the answer.
    """
    # A lost connection must not stop the work halfway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def answer() -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = privileges.as_user(module.params["user"], work)
        except HostError as error:
            if without_user is None or error.kind != "no_such_user":
                raise
            return without_user
        return afterwards(found)

    finish(module, answer, so_far)
