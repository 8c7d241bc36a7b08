# SPDX-License-Identifier: GPL-3.0-or-later
"""Where what is restored lies on the host, and where what stood there is kept."""

from __future__ import annotations

import shutil
from pathlib import Path

from .._host.accounts import expand_home
from .._times.record_stamps import name_stamp
from .configuration import GATEWAY, Configuration


def state_place(configuration: Configuration) -> Path:
    return Path(expand_home(configuration.gateway_state, configuration.gateway_account))


def gateway_root(configuration: Configuration) -> Path:
    return Path(expand_home(configuration.gateway_root, configuration.gateway_account))


def owner_of(configuration: Configuration, part: str) -> str:
    return (configuration.gateway_account if part == GATEWAY else configuration.account).name


def before_of(place: Path, now: float) -> Path:
    return place.with_name(f"{place.name}.before-{name_stamp(now)}")


def keep_file(aim: Path, kept: Path) -> str:
    if not aim.exists():
        return ""
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy2(aim, kept)
    return str(kept)
