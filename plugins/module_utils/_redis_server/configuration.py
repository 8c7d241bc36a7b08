# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in Redis' files: how it is reached, and who may enter."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

# What says who may enter. It stands in our own file alone.
ABOUT_USERS = ("user", "requirepass", "aclfile")
# How names of settings are written. Quotes and escapes, which Redis takes, hide something.
_PLAIN = re.compile(r"[A-Za-z0-9-]+")


class Place(NamedTuple):
    """An address of the server, without a login."""

    transport: str
    url: str


def settings_of(text: str) -> dict[str, str]:
    """The settings of our own file, in which each has a line."""
    pairs = (line.split(None, 1) for line in text.split("\n") if not line.startswith("#"))
    return {pair[0].lower(): pair[1].strip() if len(pair) > 1 else "" for pair in pairs if pair}


def places(text: str, port: int) -> list[Place]:
    """Where the server is asked, the safest first; without TLS only where the file does not name it.

    :param text: our own file's, empty where there is none yet.
    :param port: where a server listens that this role has not configured yet.
    """
    settings = settings_of(text)
    found = []
    if socket := settings.get("unixsocket"):
        found.append(Place("socket", f"unix://{quote(socket)}"))
    tls = settings.get("tls-port", "0")
    plain = settings.get("port", str(port))
    if tls != "0":
        # The certificate is for the address that other hosts use.
        query = f"ssl_check_hostname=false&ssl_ca_certs={quote(settings.get('tls-ca-cert-file', ''))}"
        found.append(Place("tls", f"rediss://127.0.0.1:{tls}/0?{query}"))
    elif plain != "0":
        found.append(Place("plain", f"redis://127.0.0.1:{plain}/0"))
    return found


def password_of(text: str) -> str:
    """The password that our own file asks for; empty where it asks for none."""
    return settings_of(text).get("requirepass", "")


def users_of(text: str) -> dict[str, list[str]]:
    """Who may enter by our own file beside the user default, and what of."""
    lines = (line.split() for line in text.split("\n"))
    named = {words[1]: words[2:] for words in lines if len(words) > 1 and words[0].lower() == "user"}
    return {name: rules for name, rules in named.items() if name != "default"}


def _subject(line: str) -> str:
    """What a line is about, as it may be shown; empty where it does not say who may enter."""
    words = re.split(r"[ \t\r\v\f]+", line.strip(" \t\r\v\f"))
    name = words[0].lower()
    if not name or name.startswith("#"):
        return ""
    if not _PLAIN.fullmatch(name):
        return "a line with a disguised name"
    if name not in ABOUT_USERS:
        return ""
    return f"user {words[1]}" if name == "user" and len(words) > 1 else name


def cleaned(text: str, include: str) -> tuple[str, list[str]]:
    """redis.conf with nothing about users, and what was taken out of it.

    :param include: our own file, named in the last line, so that it counts; empty while there is none.
    """
    kept, removed = [], []
    for line in text.removesuffix("\n").split("\n"):
        if subject := _subject(line):
            removed.append(subject)
        elif not include or line.split() != ["include", include]:
            kept.append(line)
    return "\n".join([*kept, *([f"include {include}"] if include else [])]) + "\n", removed
