"""What a controller hands to a module and makes of its output: ansible-core changes that."""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.ansible_release import __version__

RELEASE = tuple(int(part) for part in __version__.split(".")[:2])
# Results tell what a module was called with: since ansible-core 2.21 only on request.
WITH_INVOCATION: dict[str, Any] = {"_ansible_inject_invocation": True} if RELEASE >= (2, 21) else {}
# What stands there for the value of an option with no_log.
HIDDEN = "$REDACTED$" if RELEASE >= (2, 22) else "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def received(output: str) -> str:
    """A module's output as the controller shows it.

    Since ansible-core 2.22 the module lists beside its result what is secret, and the controller masks that
    in all that it shows. Only `invocation` is masked here: one elsewhere in a result is for a test to see.
    """
    result: dict[str, Any] = json.loads(output)
    secrets = result.pop("_ansible_new_secrets", [])
    if "invocation" in result:
        text = json.dumps(result["invocation"])
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(json.dumps(secret)[1:-1], HIDDEN)
        result["invocation"] = json.loads(text)
    return json.dumps(result)
