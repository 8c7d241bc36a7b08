# SPDX-License-Identifier: GPL-3.0-or-later
"""What the front door keeps to the deployment's own hosts, and how it says so."""

from __future__ import annotations

from collections.abc import Mapping

# What `mission_control_closed_paths` may name.
PATHS: Mapping[str, tuple[str, ...]] = {
    "docs": ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"),
    "health": ("/health", "/healthz", "/readyz"),
}
# A header of the door's own: whoever asks learns that it was not the product that refused him.
REFUSAL = "mission-control-door"
NO_ENTRY, CLOSED = "no-entry", "closed"
# What the door says in the place of somebody behind it whom it does not reach, by its own name for them.
LOST: Mapping[str, str] = {name: f"lost-{name}" for name in ("api", "page", "gateway")}
