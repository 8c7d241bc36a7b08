"""The forms in which a secret may turn up, and the search for them in anything."""

from __future__ import annotations

import base64
import json
import shlex
import urllib.parse
from collections.abc import Iterable


def base64_forms(secret: bytes) -> dict[str, str]:
    """What the base64 of every text with the secret in it has, for each of the three places to begin at."""
    found = {}
    for offset in range(3):
        # Characters made of the bytes before are left out, and those that the bytes behind have a part in.
        first = -(-offset * 8 // 6)
        last = (offset + len(secret)) * 8 // 6
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            found[f"{name} at {offset}"] = encode(bytes(offset) + secret).decode()[first:last]
    return found


def forms(secret: str) -> dict[str, str]:
    """Names and texts of the forms, each text once."""
    named = {
        "raw": secret,
        "URL-encoded": urllib.parse.quote(secret, safe=""),
        "URL-encoded, slashes left": urllib.parse.quote(secret),
        "form-encoded": urllib.parse.quote_plus(secret),
        "JSON-escaped": json.dumps(secret)[1:-1],
        "JSON-escaped twice": json.dumps(json.dumps(secret))[3:-3],
        "quoted for a shell": shlex.quote(secret),
        "hexadecimal": secret.encode().hex(),
        "backwards": secret[::-1],
        **base64_forms(secret.encode()),
    }
    return {text: name for name, text in reversed(named.items())}


def patterns(secrets: dict[str, str]) -> list[tuple[str, str, str]]:
    """Name, form and text of everything to look for."""
    return [(name, form, text) for name, value in secrets.items() for text, form in forms(value).items()]


def search(secrets: dict[str, str], texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where which secret stands in which form. The secret itself is not told."""
    wanted = patterns(secrets)

    def masked(where: str) -> str:
        for name, _form, text in wanted:
            where = where.replace(text, f"<{name}>")
        return where

    return sorted(
        f"{where}: {name}, {form}"
        for where, data in texts
        for name, form, text in wanted
        if text.encode() in data
    )
