# SPDX-License-Identifier: GPL-3.0-or-later
"""A release with other secrets: the same code, packages and settings, and what belongs to the installation.

A token or a password that was withdrawn must not come back with the code of before. So what serves now tells
an earlier release its secrets, and a rotation tells new ones to the release that serves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import _shown_settings
from .._application import environment as _environment
from .._application.layout import Layout
from .._host import reading
from .._host.deployment_errors import DeploymentError
from .._host.environment_file import secret_names
from . import names, records, source

# They belong to the installation even where nothing in them is secret. So does every other secret.
INSTALLATION = frozenset(
    {"CLERK_SECRET_KEY", "DATABASE_URL", "LOCAL_AUTH_TOKEN", "RATE_LIMIT_REDIS_URL", "RQ_REDIS_URL"}
)
# Empty it means the queue's Redis, so today's is right then, too.
_MAY_BE_EMPTY = frozenset({"RATE_LIMIT_REDIS_URL"})
_LOGIN = re.compile(r"^([a-z][a-z0-9+]*://[^:@/?#]*):[^@/?#]*@")


@dataclass(frozen=True)
class Renewal:
    """What a release becomes with other secrets. `names`: the settings that differ."""

    identifier: str
    fingerprints: Mapping[str, str]
    names: tuple[str, ...]
    before: str
    after: str


def settings_text(layout: Layout, identifier: str) -> str:
    """The environment file of a release; empty where it has none."""
    try:
        return reading.read_regular(layout.release(identifier) / "backend" / ".env")
    except OSError:
        return ""


def todays(before: str, today: str) -> dict[str, str]:
    """Of the settings that serve today, those that an earlier release has to take over."""
    old, new = _environment.parse(before), _environment.parse(today)
    named = {*secret_names(before), *secret_names(today)}

    def belongs(name: str) -> bool:
        return name in INSTALLATION or any(
            _shown_settings.holds_secret(name, values[name], named) for values in (old, new)
        )

    return {
        name: new[name]
        for name, value in old.items()
        if value and name in new and (new[name] or name in _MAY_BE_EMPTY) and belongs(name)
    }


def with_passwords(before: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """Settings that are addresses, with another password. One that names the same server gets it, too."""
    old = _environment.parse(before)
    found: dict[str, str] = {}
    for name, password in passwords.items():
        login = urlsplit(old.get(name, "")).netloc
        if not _LOGIN.match(old.get(name, "")):
            raise DeploymentError(
                f"{name} of the release that serves holds no password that could be replaced.",
                kind="bad_setting",
                remedy="Deploy first (playbooks/deploy.yml).",
            )
        for other, value in old.items():
            if other in INSTALLATION and urlsplit(value).netloc == login:
                found[other] = _LOGIN.sub(rf"\1:{password}@", value)
    return found


def plan(layout: Layout, identifier: str, values: Mapping[str, str], named: str = "") -> Renewal:
    """What a release becomes with these settings. Nothing is changed.

    :param named: another environment file, whose remarks say what is secret, too.
    """
    record = records.document(layout.release(identifier))
    if record is None:
        raise DeploymentError(f"There is no complete release {identifier}.", kind="no_release")
    before, fingerprints = settings_text(layout, identifier), dict(record.get("fingerprints") or {})
    old = _environment.parse(before)
    changed = tuple(sorted(name for name, value in values.items() if old.get(name) != value))
    if not changed or "backend" not in fingerprints:
        return Renewal(identifier, fingerprints, (), before, before)
    new = _environment.texts({**old, **{name: values[name] for name in changed}})
    after = _environment.render(new, {*secret_names(before), *secret_names(named)})
    described = source.SourceStore(layout.root).description(str(record["revision"])) or {}
    python = Path(str((record.get("python") or {}).get("environment"))).name
    # The name that a deployment with these settings would give it, so that it finds it there.
    fingerprints["backend"] = names.backend_fingerprint(described.get("trees") or {}, python, after)
    name = names.identifier_of(str(record["revision"]), fingerprints)
    return Renewal(name, fingerprints, changed, before, after)


def plan_for_today(layout: Layout, identifier: str) -> Renewal:
    """What an earlier release becomes with the secrets of the one that serves."""
    today = settings_text(layout, layout.current_release or "")
    return plan(layout, identifier, todays(settings_text(layout, identifier), today), today)


def alike(layout: Layout, releases: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Releases that are the one that serves but for secrets: going back to them leads nowhere."""
    current = layout.current_release
    serves = {current, releases.get(current or "", {}).get("base")}
    return {
        name for name in releases if name != current and plan_for_today(layout, name).identifier in serves
    }
