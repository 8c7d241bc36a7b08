# SPDX-License-Identifier: GPL-3.0-or-later
"""How yes and no are written, in an inventory and in the product's settings (pydantic takes the same)."""

from __future__ import annotations

TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
FALSE = frozenset({"0", "false", "no", "off", "n", "f"})
