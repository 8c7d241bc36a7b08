# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that hold secrets among harmless values, and results without them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._failing import fit_to_show
from ._redaction import MASK, MINIMUM, secrets

try:
    # Since ansible-core 2.22 this hides values in the journal and at the controller, as no_log_values did.
    from ansible.module_utils.secrets import register_secrets
except ImportError:
    register_secrets = None

_ENVIRONMENTS = ("environment", "download_environment", "backend_environment", "frontend_environment")


def without(value: Any, hidden: Iterable[str]) -> Any:
    """Plain data without some values, as AnsibleModule hid those of no_log up to ansible-core 2.21.

    :param hidden: what may be in no text and be no value; names of members stay as they are.
    """
    secret = sorted(filter(None, hidden), key=len, reverse=True)

    def clean(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {name: clean(member) for name, member in item.items()}
        if isinstance(item, (list, tuple)):
            return [clean(member) for member in item]
        if isinstance(item, bool) or not isinstance(item, (str, int, float)):
            return item
        if str(item) in secret:
            return "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
        if isinstance(item, str):
            for part in secret:
                item = item.replace(part, MASK)
        return item

    return clean(value)


class DiscreetModule(AnsibleModule):  # type: ignore[misc]
    """Keeps just the secrets out of result, invocation and journal; no_log would hide the rest, too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._hide_secrets()

    def exit_json(self, **result: Any) -> NoReturn:
        super().exit_json(**fit_to_show(self._discreet(result)))
        raise RuntimeError("exit_json has returned")

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        super().fail_json(**self._discreet({"msg": msg, **result}))
        raise RuntimeError("fail_json has returned")

    def _load_params(self) -> None:
        super()._load_params()
        # Already now: before it is made, AnsibleModule tells the journal what it was called with, or fails.
        self._hide_secrets()

    def _hide_secrets(self) -> None:
        found = secrets({"source": self.params.get("source")})
        for name in _ENVIRONMENTS:
            if isinstance(environment := self.params.get(name), Mapping):
                found += secrets(environment)
        kept = {secret for secret in found if len(secret) >= MINIMUM}
        self.no_log_values.update(kept)
        if register_secrets:
            register_secrets(kept)

    def _discreet(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result without secrets. Since ansible-core 2.22, a result goes to the controller as it is."""
        if not register_secrets:
            return result
        if "ANSIBLE_ASYNC_DIR" in os.environ:
            # The controller would be told all secrets by the result, which then is a file on the host.
            self._new_secrets.flush()
        cleaned: dict[str, Any] = without(
            {"invocation": {"module_args": self.params}, **result}, self.no_log_values
        )
        return cleaned
