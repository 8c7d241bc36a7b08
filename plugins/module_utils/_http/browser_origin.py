# SPDX-License-Identifier: GPL-3.0-or-later
"""The origin of a URL as a browser writes it."""

from __future__ import annotations

from urllib.parse import urlsplit

from .._host.written_addresses import in_url


def origin_of(url: str) -> str:
    """The origin as a browser writes it: scheme, host, and the port unless it is the scheme's own."""
    parts = urlsplit(url)
    host = in_url(parts.hostname or "")
    own = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port and parts.port != own else ""
    return f"{parts.scheme}://{host}{port}"
