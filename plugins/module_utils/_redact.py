# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Secrets are taken out where evidence is made, in every form in which a server may hand them back."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "********"

# A shorter value is no secret that can be told from ordinary words; hiding it would only garble texts.
MINIMUM = 4
# From here on a value is found inside longer words too; below only as a whole word.
ANYWHERE = 12

_SECRET_KEY = re.compile(
    r"(?i)(^|[_-])(token|secret|passw(or)?d|passphrase|api[_-]?key|authorization|cookie|credentials?)([_-]|$)"
)
# What looks like a secret although nobody told us its value.
_PATTERNS = (
    (re.compile(r"(?i)(\bbearer\s+)(?!\*)[\w.~+/=-]{8,}"), r"\1" + MASK),
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)[^\s@'\"]+(?:@[^\s@/'\"]+)*(?=@)"), r"\1" + MASK),
    (
        re.compile(r"(?i)([?&;](?:[\w-]*(?:token|secret|password|passwd|api[_-]?key))=)[^\s&#\"'<>]+"),
        r"\1" + MASK,
    ),
)


def secret_name(name: str) -> bool:
    """Whether a name says that its value is secret."""
    return bool(_SECRET_KEY.search(name))


def forms(secret: str) -> set[str]:
    """The secret as it stands, URL-encoded, JSON-escaped and inside any base64 text."""
    data = secret.encode()
    found = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    found.add(json.dumps(secret)[1:-1])
    found.add(json.dumps(secret, ensure_ascii=False)[1:-1])
    if len(data) >= 6:
        for offset in range(3):
            # The characters at both ends depend on the neighbours: leave them out.
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                text = encode(b"\0" * offset + data).decode().rstrip("=")
                start = (0, 2, 3)[offset]
                end = len(text) - (1 if (len(data) + offset) % 3 else 0)
                if end - start >= 7:
                    found.add(text[start:end])
    return found


class Redactor:
    """Replaces known secrets, and what is plainly one, in texts and data."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str | None) -> None:
        """Learn more secrets, for example one that an answer held."""
        new = {secret for secret in secrets if secret and len(secret) >= MINIMUM} - self._secrets
        if not new:
            return
        self._secrets |= new
        parts = set()
        for secret in self._secrets:
            for form in forms(secret):
                escaped = re.escape(form)
                # The edges of a short form must be edges of a word, else "ready" would garble "already".
                parts.add(escaped if len(form) >= ANYWHERE else rf"(?<!\w){escaped}(?!\w)")
        self._pattern = re.compile("|".join(sorted(parts, key=len, reverse=True)))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def data(self, value: Any, key: str = "") -> Any:
        """Plain data without secrets, whatever its nesting. A value whose key says secret goes altogether."""
        if isinstance(value, str):
            return MASK if value and key and _SECRET_KEY.search(key) else self.text(value)
        if isinstance(value, dict):
            return {self.text(str(name)): self.data(item, str(name)) for name, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.data(item, key) for item in value]
        if isinstance(value, bytes):
            return self.data(value.decode("utf-8", "replace"), key)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self.text(str(value))

    def contains(self, text: str) -> bool:
        """Whether a known secret stands in the text in any form."""
        return bool(self._pattern and self._pattern.search(text))
