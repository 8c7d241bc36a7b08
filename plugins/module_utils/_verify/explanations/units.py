# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the table of causes that are about units: what they are called, and how they end."""

from __future__ import annotations

from ..._application.components import service_unit

BACKEND, FRONTEND, WORKER = (
    f"mission-control-{component}" for component in ("backend", "frontend", "worker")
)
GATEWAY = service_unit("gateway").removesuffix(".service")
# Why several units of one release end alike: one cause, not one for each of them.
SHARED = frozenset(
    {"token_refused", "settings_refused", "env_file_missing", "code_incomplete", "out_of_memory"}
)
# How a unit looks whose process cannot start, or not for long.
ENDED = frozenset({"crash_loop", "unit_failed", "restarted"})
BROKEN_START = ENDED | {"starting", "stopping"}
# What a unit that is active nevertheless may be unable to work for.
USELESS = frozenset({"crash_loop", "port_held", "spinning", "process_stopped", "process_frozen"})
