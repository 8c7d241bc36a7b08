# SPDX-License-Identifier: GPL-3.0-or-later
"""What is secret is said here and nowhere else.

Secrets are taken out where evidence is made, in every form in which a server may hand them back.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote, quote_plus, unquote

MASK = "********"

# A shorter value is no secret that can be told from ordinary words; hiding it would only garble texts.
MINIMUM = 4
# From here on a value is found inside longer words too; below only as a whole word.
ANYWHERE = 12
# So many secrets, and characters of all of them together, are looked for. No deployment has a tenth of them;
# settings that have more were made to keep us busy, by the user whom they would be hidden from.
MOST, MOST_CHARACTERS = 500, 1 << 16
# Of a name so much is looked at, its end.
_NAME = 200

# --- names -----------------------------------------------------------------------------------------

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Words that say secret, also at the end of one that was written together, such as DBPASSWORD.
_SECRET = re.compile(
    r"(?:token|secrets?|passw(?:or)?ds?|passcode|passphrases?|credentials?|cookies?|authorization|bearer|dsn"
    r"|(?:api|secret|private|access|encryption|signing|master|auth|ssh|hmac|storage|account|license)keys?)$"
)
# Words that say so only together with another, or in capitals: every row has a key, and every check may pass.
_QUALIFIED = {"auth", "pass", "pwd", "pat", "salt", "jwt", "hmac", "private"}
_GLUED = re.compile(r"(?:(?<!by)(?<!com)(?<!tres)(?<=.)pass|(?<!old)(?<=.)pwd)$")
# What a key is that opens nothing, ...
_HARMLESS_KEYS = {"public", "publishable", "primary", "foreign", "sort", "partition", "cache", "unique"}
# ... and, where data have it and not the environment, just names something.
_NAMING_KEYS = {"session", "field", "queue", "lock", "dedup", "idempotency", "metric", "redis"}
# A name that ends so tells something about a secret, or where it lies.
_ABOUT = {
    *("alg", "algorithm", "at", "audience", "backend", "count", "dir", "directory", "domain", "enabled"),
    *("endpoint", "expire", "expires", "expiry", "file", "format", "header", "hours", "issuer", "length"),
    *("lifetime", "limit", "max", "min", "minutes", "mode", "ms", "name", "path", "policy", "prefix"),
    *("provider", "required", "rounds", "samesite", "scopes", "seconds", "secure", "size", "timeout", "ttl"),
    *("type", "uri", "url", "version", "days", "fresh", "used", "usage", "httponly", "interval", "present"),
    *("in", "age", "settings", "accepted", "fault"),
}
_FLAGS = {"is", "has", "allow", "enable", "disable", "require"}
# The frontend's build hands these to every browser.
_PUBLISHED = "NEXT_PUBLIC_"

# --- values ----------------------------------------------------------------------------------------

_PEM = r"(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_KEY_MATERIAL = re.compile(
    rf"-----BEGIN {_PEM}.*?(?:-----END {_PEM}|\Z)"
    # The same in base64 (but no certificate and no public key), and the bodies of Ed25519 and RSA keys alone.
    r"|LS0tLS1CRUdJTi(?!BDRVJU|BQVUJM)[\w+/=]{20,}|\bMC4CAQAwBQYDK2Vw[\w+/=]{20,}|\bMII[\w+/]{3}IBA[AD][\w+/=]{20,}"
    # Tokens whose beginning says whose they are.
    r"|(?<![\w-])(?:sk-[\w-]{16,}|[sr]k_(?:live|test)_\w{10,}|gh[opsur]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|npm_\w{30,}|pypi-[\w-]{30,}|hf_\w{20,}"
    r"|gsk_\w{20,}|xai-\w{20,}|whsec_[\w+/=]{16,}|shpat_\w{20,}|dop_v1_\w{20,}|glsa_\w{20,}|hvs\.[\w-]{20,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|AGE-SECRET-KEY-\w{20,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)",
    re.DOTALL,
)
_RANDOM = re.compile(r"(?!/[a-z]+/)[\w+/-]{32,}={0,2}", re.ASCII)
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A long random value under such a name says which one something is; it opens nothing.
_IDENTIFIERS = {
    *("sha", "commit", "revision", "rev", "ref", "hash", "digest", "checksum", "fingerprint", "id", "ids"),
    *("uuid", "version", "integrity", "etag", "build", "image", "tag", "public", "publishable"),
}
_ORDINARY = {"true", "false", "yes", "no", "on", "off", "none", "null"}

# Where, in a URL, a password begins; a port is none.
_LOGIN = re.compile(r"(?i)(?<=[a-z0-9+.-])://[^\s/?#@:]*:(?!//)(?!\d{1,5}/)")
# It goes to the last @ of the host, where that has one, else to the first @. In a text quotes end it.
_HOST, _NEXT = re.compile(r"[^\s/?#]*"), re.compile(r"[\s@]")
_QUOTED_HOST, _QUOTED_NEXT = re.compile(r"[^\s/?#'\"]*"), re.compile(r"[\s@'\"]")
# As long as this, a user is a token, which Git servers take in his place; with a %40 he is an address.
_USER_TOKEN = re.compile(r"(?i)(\bhttps?://)([^\s/?#@:%]{20,})(?=(?::[^\s/?#]*)?@)")

# --- texts -----------------------------------------------------------------------------------------

# What looks like a secret although nobody told us its value.
_PATTERNS = (
    (_KEY_MATERIAL, MASK),
    (re.compile(r"(?i)(\bbearer\s+)(?!\*)[\w.~+/=-]{8,}"), r"\1" + MASK),
    (re.compile(r"(?i)(\bauthorization:\s*basic\s+)(?!\*)\S{8,}"), r"\1" + MASK),
    (_USER_TOKEN, r"\1" + MASK),
)
# Here the name decides: "name": "value", name=value, also in a query string, and --name value. What a shell
# is to read from a file, as a remedy says it, is no value.
_NAMED = re.compile(
    r"[\"'](?P<quoted>[\w.-]+)[\"']\s*:\s*(?=[\"'])"
    r"|(?<![\w.-])-{0,2}(?P<assigned>[A-Za-z_][\w.-]*)=(?!\$\(cat /[\w./-]+\))"
    r"|(?<!\S)--(?P<option>[A-Za-z][\w-]*)[ \t]+(?!-)"
)
_VALUE = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s&#\"'<>]+")


def is_secret(name: str, more: Collection[str] = ()) -> bool:
    """Whether a name says that its value is secret.

    :param name: of a setting, an option, a column or a member of data, however its words are joined.
    :param more: names that are secret because an operator says so.
    """
    return name in more or _says_secret(name[-_NAME:])


@functools.lru_cache(maxsize=4096)
def _says_secret(name: str) -> bool:
    if name.startswith(_PUBLISHED) or name in ("PWD", "OLDPWD"):
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    # A DSN is a URL with a login, and the backend's own is one, too.
    about = bool(words) and words[-1] in _ABOUT and words[-2:] != ["dsn", "backend"]
    if not words or about or words[0] in _FLAGS:
        return False
    if any(_SECRET.search(word) for word in words) or "connectionstring" in "".join(words):
        return True
    if len(words) == 1 and not name.isupper() and not name.startswith("_"):
        return bool(_GLUED.search(words[0]))
    if words[-1] in _QUALIFIED or _GLUED.search(words[-1]):
        return True
    return any(
        word in ("key", "keys") and not _harmless_key(words[index - 1] if index else "", name)
        for index, word in enumerate(words)
    )


def _harmless_key(kind: str, name: str) -> bool:
    return kind in _HARMLESS_KEYS or (kind in _NAMING_KEYS and not name.isupper())


def is_random(name: str, value: str) -> bool:
    """Whether a setting's value is as long and as mixed as only key material is."""
    if not _RANDOM.fullmatch(value) or _UUID.fullmatch(value) or value.startswith("pk_"):
        return False
    if name.startswith(_PUBLISHED) or _IDENTIFIERS & {word.lower() for word in _WORDS.findall(name)}:
        return False
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" if c.islower() else "" for c in value]
    changes = sum(one != other for one, other in pairwise(kinds) if one and other)
    # Half of the neighbours differ in kind where characters are drawn; in names one in four does at most.
    return "d" in kinds and changes > len(value) * (0.35 if {"u", "l"} <= set(kinds) else 0.2)


def user_token(url: str) -> bool:
    """Whether a token stands in the URL where a user would."""
    return bool(_USER_TOKEN.match(url))


def secrets(values: Mapping[str, Any], more: Collection[str] = ()) -> list[str]:
    """What must not be shown of settings, as it stands and percent-decoded.

    That is: values whose name says so, key material whatever its name, and logins inside URLs.

    :param values: settings by name.
    :param more: names that are secret because an operator says so.
    """
    found = []
    for name, text in ((str(name), "" if value is None else str(value)) for name, value in values.items()):
        if (is_secret(name, more) and text.lower() not in _ORDINARY) or is_random(name, text):
            parts = text.split(",", MOST)[:MOST]
            found += [text, *(part for part in parts if part != text and len(part) >= ANYWHERE)]
        if name.lower().endswith("proxy") and "://" not in text:
            text = f"http://{text}"
        found += [text[begin:end] for begin, end in passwords(text)]
        found += [match[2] for match in _USER_TOKEN.finditer(text)]
        found += _KEY_MATERIAL.findall(text)
    found += [unquote(secret) for secret in found]
    return [secret for secret in dict.fromkeys(found) if secret]


def passwords(text: str, *, quoted: bool = False) -> Iterator[tuple[int, int]]:
    """Where passwords inside URLs begin and end.

    Texts are somebody else's, so it takes no longer than they are long: nothing is looked at again from each
    place where a URL could begin.

    :param quoted: whether quotes end a URL, as they do in a text but not in a setting.
    """
    host, following = (_QUOTED_HOST, _QUOTED_NEXT) if quoted else (_HOST, _NEXT)
    position, end = 0, -1
    while login := _LOGIN.search(text, position):
        position = login.end()
        whole = host.match(text, position)
        at = text.rfind("@", position, whole.end() if whole else position)
        if at < 0:
            if end < position:
                found = following.search(text, position)
                end = found.start() if found else len(text)
            at = end if text[end : end + 1] == "@" else -1
        if at > position:
            yield position, at
            position = at


def _hide_passwords(text: str) -> str:
    pieces, done = [], 0
    for begin, end in passwords(text, quoted=True):
        pieces += [text[done:begin], MASK]
        done = end
    return "".join(pieces) + text[done:] if pieces else text


def secret_starts(text: str) -> Iterator[re.Match[str]]:
    """Where, in a text, a value begins whose name says that it is secret."""
    return (start for start in _NAMED.finditer(text) if is_secret(start[start.lastgroup or 0]))


def _hide_named(text: str) -> str:
    pieces, done = [], 0
    for start in secret_starts(text):
        if start.start() < done:
            continue
        value = _VALUE.match(text, start.end())
        if value is None or value[0].strip("\"'").lower() in _ORDINARY | {"", MASK}:
            continue
        mark = value[0][0] if value[0][0] in "\"'" else ""
        pieces += [text[done : start.end()], mark, MASK, mark]
        done = value.end()
    return "".join(pieces) + text[done:] if pieces else text


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
        self._characters = 0
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str | None) -> None:
        """Learn more secrets, for example one that an answer held."""
        known = len(self._secrets)
        for secret in secrets:
            if not secret or len(secret) < MINIMUM or secret in self._secrets:
                continue
            if len(self._secrets) < MOST and self._characters + len(secret) <= MOST_CHARACTERS:
                self._secrets.add(secret)
                self._characters += len(secret)
        if len(self._secrets) == known:
            return
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
        return _hide_named(_hide_passwords(text))

    def data(self, value: Any, key: str = "") -> Any:
        """Plain data without secrets, whatever its nesting. A value whose key says secret goes altogether."""
        if isinstance(value, str):
            hidden = key and value and value.lower() not in _ORDINARY and is_secret(key)
            return MASK if hidden else self.text(value)
        if isinstance(value, dict):
            return {self.text(str(name)): self.data(item, str(name)) for name, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._items(list(value), key)
        if isinstance(value, bytes):
            return self.data(value.decode("utf-8", "replace"), key)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self.text(str(value))

    def _items(self, items: list[Any], key: str) -> list[Any]:
        """A list without secrets; in a command line, the word after an option belongs to it."""
        options = [
            str(item).removeprefix("--") if str(item).startswith("--") else "" for item in ["", *items]
        ]
        return [
            self.data(item, option if option and "=" not in option else key)
            for item, option in zip(items, options, strict=False)
        ]
