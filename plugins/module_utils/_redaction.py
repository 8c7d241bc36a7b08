# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Secrets are taken out where evidence is made, in every form in which a server may hand them back."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

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


# Names of other programs' settings, of which one cannot know; better one too many hidden.
_SECRETIVE = re.compile(r"PASS|PRIVATE|CREDENTIAL|KEY|DSN|AUTH(?!_MODE)")


def masked(values: Mapping[str, str]) -> dict[str, str]:
    return {name: shown(name, value) for name, value in values.items()}


def shown(name: str, value: str) -> str:
    """A setting for a reader."""
    if value and (secret_name(name) or _SECRETIVE.search(name.upper())):
        return MASK
    return Redactor().text(value)


_SECRET = re.compile(r"(?i)TOKEN|SECRET|PASSW|PRIVATE|CREDENTIAL|API_?KEY|DSN")
# The password in a URL: up to the last @ before a slash, or, if there is none, up to the first @ at all.
_PASSWORD = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^\s/?#@:]*:(?!//)(?:([^\s/?#]+)|(?!\d+/)([^\s@]+))@")
# As long as this, a user is a token, which Git servers take in his place; with a %40 he is an address.
_USER_TOKEN = re.compile(r"(?i)\bhttps?://([^\s/?#@:%]{20,})(?::[^\s/?#]*)?@")


def is_secret(name: str) -> bool:
    return bool(_SECRET.search(name))


def user_token(url: str) -> bool:
    """Whether a token stands in the URL where a user would."""
    return bool(_USER_TOKEN.match(url))


def secrets(values: Mapping[str, Any]) -> list[str]:
    """Values that must not be shown, and the passwords inside URLs, as they stand and percent-decoded."""
    found = []
    for name, text in ((str(name), "" if value is None else str(value)) for name, value in values.items()):
        if is_secret(name):
            found.append(text)
        if name.lower().endswith("proxy") and "://" not in text:
            text = f"http://{text}"
        found += [match[1] or match[2] for match in _PASSWORD.finditer(text)]
        found += _USER_TOKEN.findall(text)
    found += [unquote(secret) for secret in found]
    return [secret for secret in dict.fromkeys(found) if secret]


def secrets_in(environment: dict[str, str]) -> list[str]:
    """The secret values of an environment: those whose name says so, and passwords inside of addresses."""
    found = []
    for name, value in environment.items():
        if secret_name(name):
            found.append(value)
        if "://" in value:
            try:
                password = urlsplit(value).password
            except ValueError:
                continue
            if password:
                found += [password, unquote(password)]
    return found
