# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The backend's environment file: systemd and the product read it, so it holds only what both read alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ansible_collections.openclaw.mission_control.plugins.module_utils._redact import MASK, Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._runner import DeploymentError

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./\-\[\]]*")
_SECRET = re.compile(r"(?i)TOKEN|SECRET|PASSW|PRIVATE|CREDENTIAL|API_?KEY|DSN")
# The password in a URL: up to the last @ before a slash, or, if there is none, up to the first @ at all.
_PASSWORD = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^\s/?#@:]*:(?!//)(?:([^\s/?#]+)|(?!\d+/)([^\s@]+))@")
# As long as this, a user is a token, which Git servers take in his place; with a %40 he is an address.
_USER_TOKEN = re.compile(r"(?i)\bhttps?://([^\s/?#@:%]{20,})(?::[^\s/?#]*)?@")
_HEADER = (
    "# Written by the collection openclaw.mission_control; belongs to this release and is replaced with it.\n"
)


def is_secret(name: str) -> bool:
    return bool(_SECRET.search(name))


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Every value as the product reads it; an unusable one is refused by name."""
    done = {}
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise _refusal(
                name, "is no name of an environment variable", "Use capital letters, digits and underscores."
            )
        if value is None:
            text = ""
        elif isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, (list, tuple)):
            text = ",".join(str(item) for item in value)
        else:
            text = str(value)
        if any(character in text for character in "\n\r\0\\"):
            raise _refusal(
                name, "holds a line break or a backslash, which systemd and the product read differently"
            )
        if "${" in text:
            raise _refusal(name, "holds ${, which the product would try to replace")
        if "'" in text and '"' in text:
            raise _refusal(name, "holds both kinds of quotes")
        if name == "DATABASE_URL" and "%" in text:
            raise _refusal(
                name,
                "holds a %, at which the product's migrations fail",
                "Choose a password of letters and digits.",
            )
        done[name] = text
    return dict(sorted(done.items()))


def _refusal(name: str, what: str, remedy: str = "Choose another value.") -> DeploymentError:
    return DeploymentError(f"Backend setting {name} {what}.", kind="bad_setting", remedy=remedy)


def render(values: Mapping[str, str]) -> str:
    """The file's text."""
    return _HEADER + "".join(f"{name}={_quoted(text)}\n" for name, text in values.items())


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return f'"{text}"' if "'" in text else f"'{text}'"


def parse(text: str) -> dict[str, str]:
    """Read a file that render() wrote."""
    values = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if not separator or line.startswith("#"):
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name] = value
    return values


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


def masked(text: str, before: str | None = None) -> str:
    """The file for a reader: secrets hidden, but it shows where one changed."""
    values = parse(text)
    old = parse(before) if before is not None else {}
    redactor = Redactor(secrets(values))
    lines = []
    for name, value in values.items():
        shown = MASK if is_secret(name) and value else redactor.text(value)
        if before and shown != value and old.get(name) not in (None, value):
            shown += " (changed)"
        lines.append(f"{name}={shown}\n")
    return "".join(lines)
