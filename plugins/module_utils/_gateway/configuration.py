# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway's configuration file belongs to three: the operator, the gateway itself and us.

We set our own keys and remember them, so that a key we no longer want can be taken back; whatever else stands
in the file stays. Pure functions: no file is touched here.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._host.errors import HostError
from .._plain_json import parse_json

Path = tuple[str, ...]
ORIGINS: Path = ("gateway", "controlUi", "allowedOrigins")
PROXIES: Path = ("gateway", "trustedProxies")
# Sets to which others may add.
_SHARED = (ORIGINS, PROXIES)
TOKEN: Path = ("gateway", "auth", "token")

# The gateway itself calls these insecure or dangerous; what choosing them means, in plain words.
DANGEROUS: dict[Path, str] = {
    ("gateway", "controlUi", "allowInsecureAuth"): (
        "clients may use the control interface over plain HTTP without a device identity"
    ),
    ("gateway", "controlUi", "dangerouslyDisableDeviceAuth"): (
        "whoever knows the token has full control of the gateway and its agents; devices need no approval"
    ),
    ("gateway", "controlUi", "dangerouslyAllowHostHeaderOriginFallback"): (
        "any web page may be taken for the gateway's own, so that a visited page can control the gateway"
    ),
}


class ConfigError(HostError):
    """The configuration cannot be used as it stands."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, kind="configuration", remedy=remedy)


def leaves(tree: Mapping[str, Any], prefix: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of a tree with its path. An empty mapping is a value of its own."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*prefix, str(key)))
        else:
            yield (*prefix, str(key)), value


def get(tree: Any, path: Sequence[str]) -> Any:
    """The value at a path, None where there is none."""
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return None
        tree = tree[key]
    return tree


def put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a value; whatever stands in the way and is no mapping gives way."""
    for key in path[:-1]:
        branch = tree.get(key)
        if not isinstance(branch, dict):
            branch = tree[key] = {}
        tree = branch
    tree[path[-1]] = copy.deepcopy(value)


def remove(tree: dict[str, Any], path: Sequence[str]) -> None:
    """Take a value out, and the mappings that become empty by that."""
    branches = [tree]
    for key in path[:-1]:
        branch = branches[-1].get(key)
        if not isinstance(branch, dict):
            return
        branches.append(branch)
    branches[-1].pop(path[-1], None)
    for index in range(len(branches) - 1, 0, -1):
        if not branches[index]:
            del branches[index - 1][path[index - 1]]


@dataclass(frozen=True)
class Change:
    """One value that differs: its path in dots, what stands there, what shall stand there (None: nothing)."""

    path: str
    before: Any
    after: Any


def combine(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees in one; the second wins."""
    result = copy.deepcopy(dict(base))
    for path, value in leaves(extra):
        put(result, path, value)
    return result


def merge(
    current: Mapping[str, Any], wanted: Mapping[str, Any], applied: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Change]]:
    """The file with our keys in it, and what that changes.

    `applied` is what we set the last time: a key of it that is wanted no longer is taken back, unless
    somebody has changed it since. Origins and proxies are sets to which others may add, so ours are added and
    only ours are taken away.
    """
    result = copy.deepcopy(dict(current))
    changes = []
    for path, value in leaves(wanted):
        before = get(current, path)
        after = value
        if path in _SHARED:
            ours_before = get(applied, path) or []
            kept = [item for item in before or [] if item in value or item not in ours_before]
            after = kept + [item for item in value if item not in kept]
        if before != after or type(before) is not type(after):
            put(result, path, after)
            changes.append(Change(".".join(path), before, after))
    still_wanted = {path for path, _ in leaves(wanted)}
    for path, value in leaves(applied):
        covered = any(path[: len(other)] == other or other[: len(path)] == path for other in still_wanted)
        before = get(result, path)
        if covered or before is None:
            continue
        if path in _SHARED and isinstance(before, list):
            left = [item for item in before if item not in value]
            if left and left != before:
                put(result, path, left)
                changes.append(Change(".".join(path), before, left))
            if left:
                continue
        elif before != value:
            continue
        remove(result, path)
        changes.append(Change(".".join(path), before, None))
    return result, changes


def parse(text: str) -> dict[str, Any] | None:
    """The file as plain JSON; None where it is the gateway's richer dialect (JSON5)."""
    if not text.strip():
        return {}
    try:
        tree = parse_json(text)
    except ValueError:
        return None
    if not isinstance(tree, dict):
        raise ConfigError(
            "The gateway's configuration file holds something else than an object.",
            "Restore it from openclaw.json.bak, or move it away and deploy again.",
        )
    return tree


def render(tree: Mapping[str, Any]) -> str:
    """The text of the file, in the gateway's own style."""
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def dangerous_flags(tree: Mapping[str, Any]) -> list[str]:
    """What is switched on there that the gateway itself warns about, each with its meaning."""
    return [f"{'.'.join(path)}: {meaning}" for path, meaning in DANGEROUS.items() if get(tree, path) is True]


def configured_token(tree: Mapping[str, Any]) -> str:
    """The token that stands in the file: the gateway prefers it to the one of its environment."""
    value = get(tree, TOKEN)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or "${" in value:
        raise ConfigError(
            "gateway.auth.token in the gateway's configuration refers to a value kept elsewhere.",
            "Give the value in gateway_token, or take the key out of the file: the token then comes from the "
            "environment file of the unit.",
        )
    return value
