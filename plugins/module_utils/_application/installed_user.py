# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose Mission Control a host has, as root has noted it for the host command."""

from __future__ import annotations

from pathlib import Path

from .._host import reading
from .._host.accounts import find_account
from .._host.errors import HostError
from .._plain_json import parse_json
from .layout import COMMAND_CONFIGURATION


def installed_user(configuration: Path = Path(COMMAND_CONFIGURATION)) -> str:
    """The user of the installation that was deployed last; empty where there is none, or no such user."""
    try:
        if configuration.lstat().st_uid != 0:
            return ""
        told = parse_json(reading.read_regular(configuration))
    except (OSError, ValueError):
        return ""
    user = told.get("user") if isinstance(told, dict) else None
    try:
        return find_account(user).name if isinstance(user, str) else ""
    except HostError:
        return ""
