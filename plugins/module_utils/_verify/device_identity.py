# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the key by which gateways know the backend can be read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from .._host.user_files import UserFiles
from .._plain_json import parse_json
from .verdict import FAIL, SKIP, Verdict

_SETTING = "OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH"
_KEYS = ("publicKeyPem", "privateKeyPem")


def _whole(text: str) -> bool:
    try:
        document = parse_json(text)
    except ValueError:
        return False
    return isinstance(document, dict) and all("-----BEGIN" in str(document.get(name, "")) for name in _KEYS)


def judge_identity(environment: Mapping[str, str], files: UserFiles) -> Verdict:
    """One that is not there is made by who needs it; a broken one is not."""
    path = environment.get(_SETTING, "")
    if not path:
        return Verdict("identity", SKIP, f"{_SETTING} is not set")
    try:
        text = files.read(Path(path))
    except OSError as error:
        return Verdict("identity", SKIP, f"not read: {error.strerror or error}")
    if _whole(text):
        return Verdict("identity", summary="the backend has its key for gateways")
    file = shlex.quote(path)
    return Verdict(
        "identity",
        FAIL,
        f"{path} holds no key" if text.strip() else f"{path} is empty",
        cause="The file with the backend's device identity is damaged, as after a power cut or by hand: the "
        "backend cannot connect to any gateway that knows it by this key.",
        remedy="Restore it from a restore point (docs/backups.md). Where there is none, put it aside and "
        f"deploy again: mv {file} {shlex.quote(path + '.damaged')}. The deployment makes a new one and has "
        "the gateways that it deploys know it; others approve it: openclaw devices approve.",
        kind="identity_garbled",
        evidence={"path": path},
    )
