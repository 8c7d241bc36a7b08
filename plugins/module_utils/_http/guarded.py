# SPDX-License-Identifier: GPL-3.0-or-later
"""A session of `requests` that tells its secrets, on this host and without TLS, to some users only."""

from __future__ import annotations

import socket
from collections.abc import Collection
from typing import Any

from .._host.answering import refuse_strangers


def guard(session: Any, users: Collection[str]) -> None:
    """Have each new connection looked at before anything is sent. Without users nothing changes."""
    if not users:
        return
    from urllib3 import HTTPConnectionPool
    from urllib3.connection import HTTPConnection

    class Guarded(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            made: socket.socket = super()._new_conn()
            try:
                refuse_strangers(made, users)
            except OSError:
                made.close()
                raise
            return made

    pool = type("GuardedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": Guarded})
    adapter = session.get_adapter("http://")
    adapter.poolmanager.pool_classes_by_scheme = {
        **adapter.poolmanager.pool_classes_by_scheme,
        "http": pool,
    }
