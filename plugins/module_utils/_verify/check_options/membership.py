# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check membership."""

from __future__ import annotations

from ..option_model import Options, option

OPTIONS: Options = {"role": option("str", "owner", choices=["owner", "admin", "member", "any"])}
