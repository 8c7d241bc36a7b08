# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the product's frontend, and the address of the API where none is named."""

from __future__ import annotations

import re

from .components import PORTS
from .settings import Setting

FRONTEND_SETTINGS: dict[str, Setting] = {
    "NEXT_PUBLIC_API_URL": Setting("auto", "url"),
    "NEXT_PUBLIC_AUTH_MODE": Setting("", "choice", ("local", "clerk")),
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": Setting(""),
    "NEXT_PUBLIC_CLERK_SIGN_IN_FALLBACK_REDIRECT_URL": Setting("/boards"),
    "NEXT_PUBLIC_CLERK_AFTER_SIGN_OUT_URL": Setting("/"),
}


def derived_api_url(public_url: str, port: int | str | None = None) -> str:
    """The address of the API where none is named.

    With https it is the public URL: a front door serves pages and API at one origin. Else it is the public
    URL's scheme and host, and the backend's port.

    :param public_url: what users open in their browsers; may be empty, and so is the answer then.
    :param port: the backend's, where it is another one than the default.
    """
    url = str(public_url or "")
    if url.startswith("https://"):
        return url.rstrip("/")
    found = re.match(r"(http://(?:\[[^\]]*\]|[^:/]*))", url)
    return f"{found[1]}:{port or PORTS['backend']}" if found else ""
