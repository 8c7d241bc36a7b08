# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has the gateway of a host now: for what starts, stops, shows and reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._application.components import service_unit
from .._host import reading
from .._host.accounts import Account, expand_home, find_account
from .._host.errors import HostError
from .._host.user_files import UserFiles
from .placement_record import Record, read_record

DEFAULT_USER = "openclaw"
# What the role writes into its unit.
OUR_MARK = "role gateway of openclaw.mission_control"
STATE_NAME = ".openclaw"
ROOT = "~/openclaw-gateway"


def holder_of(application: Account | None, record: Record | None) -> tuple[str, bool]:
    """Who has it, empty where nobody has, and whether it was set up by hand.

    :param application: the application's user, None where there is none.
    :param record: root's, None where there is none.
    """
    if record is not None:
        return record.user, record.by_hand
    return _found(application)


def _found(application: Account | None) -> tuple[str, bool]:
    """The application's user if he has a gateway, and whether that was set up by hand."""
    if application is None or os.geteuid() not in (0, application.uid):
        return "", False
    home = Path(application.home)

    def look() -> list[bool]:
        try:
            unit = reading.read_regular(home / ".config/systemd/user" / service_unit("gateway"))
        except (OSError, ValueError):
            unit = ""
        root = Path(expand_home(ROOT, application))
        ours = OUR_MARK in unit or any((root / name).is_file() for name in ("applied.json", "gateway.env"))
        there = ours or bool(unit) or (home / STATE_NAME / "openclaw.json").is_file()
        return [there, ours]

    try:
        there, ours = UserFiles(application).look(look)
    except OSError:
        return "", False
    return (application.name if there else ""), there and not ours


def present_account(named: str, application: Account) -> Account:
    """The account as which the gateway runs now: for what starts, stops, shows and reads it."""
    holder, _by_hand = holder_of(application, read_record())
    if holder or named:
        return find_account(holder or named)
    try:
        # Who may not read the record still finds one that was deployed as usual.
        return find_account(DEFAULT_USER)
    except HostError:
        return application


def account_asked_for(options: Mapping[str, Any], application: Account) -> Account | None:
    """The same for a module's options `services` and `gateway_user`; None where it is not asked for."""
    if "gateway" not in options["services"]:
        return None
    return present_account(options["gateway_user"] or "", application)
