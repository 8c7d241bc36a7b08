# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that all checks have: where the product is, and how long to try."""

from __future__ import annotations

from collections.abc import Callable

from .._application.components import PORTS
from .option_model import Options, listed, option


def _at_least(least: float) -> Callable[[float], None]:
    def judge(value: float) -> None:
        if value < least:
            raise ValueError(f"{value} is too small, it must be {least} or more")

    return judge


def _address(value: str) -> None:
    if not str(value).startswith(("http://", "https://")):
        raise ValueError(f"{value!r} is not a valid http(s) address")


CONNECTION: Options = {
    "url": option("str", f"http://127.0.0.1:{PORTS['backend']}", form=_address),
    "token": option("str", "", no_log=True),
    "public_url": option("str", "", form=_address),
    "user": option("str", ""),
    "trusted_users": listed([]),
    "root": option("str", "~/mission-control"),
    "env_file": option("str", ""),
    "timeout": option("float", 10.0, form=_at_least(0.001)),
    "validate_certs": option("bool", True),
    "ca_path": option("path", ""),
    "dialect": option("str", "auto", choices=["auto", "gateways", "gateway"]),
    "range_parameter": option("str", "auto", choices=["auto", "range_key", "range"]),
    "secrets": listed([], no_log=True),
}

WAITING: Options = {
    "deadline": option("float", 0.0),
    "interval": option("float", 1.0, form=_at_least(0.0)),
    "backoff": option("float", 1.5, form=_at_least(1.0)),
    "interval_max": option("float", 15.0),
    "jitter": option("float", 0.2),
    "successes": option("int", 1, form=_at_least(1)),
    "fail_on": option("str", "fail", choices=["fail", "warn", "never"]),
}

COMMON: Options = {**CONNECTION, **WAITING}
