# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AnsibleModule of modules whose options hold secrets among harmless values, such as proxies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

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
