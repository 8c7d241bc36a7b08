# SPDX-License-Identifier: GPL-3.0-or-later
"""What thin modules share: how their work ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._failing import fail, fit_to_show
from ._host import privileges
from ._host.accounts import Account
from ._host.deployment_errors import os_error
from ._host.errors import HostError


def finish(
    module: AnsibleModule, work: Callable[[], Mapping[str, Any]], so_far: Mapping[str, Any] | None = None
) -> NoReturn:
    """Do the work and end the module with what it returns, or with what went wrong.

    `so_far` is returned with a failure; the work may keep in it what it has done already.
    """
    # Whatever root's own is, 077 say: the application's user has to reach what is made for it.
    os.umask(0o022)
    try:
        answer = work()
    except HostError as error:
        fail(module, {**(so_far or {}), **error.result()})
    except OSError as error:
        fail(module, {**(so_far or {}), **os_error(error).result()})
    module.exit_json(**fit_to_show(answer))
    raise RuntimeError("exit_json has returned")


def run_as_user(
    module: AnsibleModule,
    work: Callable[[Account], Mapping[str, Any]],
    *,
    without_user: Mapping[str, Any] | None = None,
    so_far: Mapping[str, Any] | None = None,
    afterwards: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda answer: answer,
    keep: Iterable[int] = (),
) -> NoReturn:
    """Do the work in a child process that has become the module's `user` for good, and end the module.

    `without_user` is the answer on a host that has no such user; without it, that is a failure. `so_far` is
    returned with a failure. `afterwards` is what the module's own process adds to the answer. `keep`: the
    open files that the child needs.
    """
    # A lost connection must not stop the work halfway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def answer() -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = privileges.as_user(module.params["user"], work, keep=keep)
        except HostError as error:
            if without_user is None or error.kind != "no_such_user":
                raise
            return without_user
        return afterwards(found)

    finish(module, answer, so_far)
