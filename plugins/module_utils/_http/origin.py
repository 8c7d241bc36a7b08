# SPDX-License-Identifier: GPL-3.0-or-later
"""The origin of a URL."""

from __future__ import annotations

from urllib.parse import urlsplit


def origin_key(url: str) -> tuple[str, str | None, int | None]:
    """What has to be equal for two URLs to have one origin: scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
