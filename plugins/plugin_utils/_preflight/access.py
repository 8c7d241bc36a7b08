# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about who may use the API: tokens and Clerk."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .model import PREFIX, Context, Problem

TOKEN_MINIMUM = 50
_PLACEHOLDERS = frozenset({"change-me", "changeme", "replace-me", "replace-with-strong-random-token"})
_PLACEHOLDER_WORDS = (
    "change-me",
    "changeme",
    "replace-me",
    "replace-with",
    "your-token",
    "your-auth-token",
    "placeholder",
)


# --- who may enter -------------------------------------------------------------------------------


def authentication(context: Context) -> Iterator[Problem]:
    if not context.runs("backend", "worker", "frontend"):
        return
    mode = str(context.get("auth_mode", "local"))
    if mode not in ("local", "clerk"):
        yield Problem(
            "authentication",
            f"{PREFIX}_auth_mode",
            message="is not known to the product",
            remedy="use local or clerk",
            value=mode,
        )
    elif mode == "clerk":
        yield from _clerk(context)
    elif context.runs("backend", "worker") and f"{PREFIX}_token" not in context.undefined:
        fault = token_fault(str(context.get("token")))
        if fault:
            yield Problem(
                "authentication",
                f"{PREFIX}_token",
                message=fault,
                remedy="make one with: openssl rand -hex 32, and keep it in the vault",
            )


def token_fault(token: str) -> str:
    """What is wrong with a bearer token, without showing it."""
    stripped = token.strip()
    if not stripped:
        return "is not set"
    lowered = stripped.lower()
    if lowered in _PLACEHOLDERS or any(word in lowered.replace("_", "-") for word in _PLACEHOLDER_WORDS):
        return "is a placeholder"
    if len(stripped) < TOKEN_MINIMUM:
        return f"has {len(stripped)} characters, and the product wants at least {TOKEN_MINIMUM}"
    if not re.fullmatch(r"[!#$%&*+,./:;<=>?@^_|~A-Za-z0-9-]+", stripped):
        return "holds blanks, quotes, backslashes or other characters that do not survive headers and files"
    if len(set(stripped)) < 8:
        return "repeats the same few characters, so it can be guessed"
    return ""


def _clerk(context: Context) -> Iterator[Problem]:
    remedy = "copy it from the dashboard of Clerk, or use mission_control_auth_mode: local"
    needed = []
    if context.runs("backend", "worker"):
        needed.append("clerk_secret_key")
    if context.runs("frontend"):
        needed.append("clerk_publishable_key")
    for name in needed:
        variable = f"{PREFIX}_{name}"
        if variable not in context.undefined and not str(context.get(name)).strip():
            yield Problem(
                "authentication",
                variable,
                message=f"is not set, and {PREFIX}_auth_mode is clerk",
                remedy=remedy,
            )
