# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a release with other secrets together, beside the one it is made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._application import environment as _environment
from .._application.backend_platform import platform_of
from .._application.layout import Layout
from .._gateway import identity
from .._host import files, locks, reading, trees
from .._host.accounts import Account
from .._host.environment_file import secret_names
from .._times.record_stamps import utc_stamp
from . import outcome, records
from .renewal import Renewal, plan, plan_for_today, settings_text, with_passwords

_PARTS = ("backend", "scripts", "frontend")
# What is true of the release it is made from alone.
_OWN = ("outcome", "activated", "base", "generation", "drift")


def compose(layout: Layout, identifier: str, renewal: Renewal, made_by: str) -> None:
    """Put it together; what does not differ is linked and takes no room."""
    origin, final = layout.release(identifier), layout.release(renewal.identifier)
    record = records.document(origin) or {}
    partial = layout.releases / f".{renewal.identifier}.partial"
    files.remove(partial)
    files.remove(final)
    partial.mkdir(mode=0o755, parents=True)
    try:
        for name in _PARTS:
            if (origin / name).is_dir():
                trees.copy(origin / name, partial / name, link=True)
        # A new file takes the place of the link; that of the other release stays as it is.
        files.write_atomically(partial / "backend" / ".env", renewal.after, 0o600)
        if (origin / "units.json").is_file():
            files.write_atomically(partial / "units.json", reading.read_regular(origin / "units.json"))
        answer = {name: value for name, value in record.items() if name not in _OWN}
        answer |= {
            "id": renewal.identifier,
            "fingerprints": dict(renewal.fingerprints),
            "created": utc_stamp(),
            "created_by": made_by,
            "renewed_from": identifier,
        }
        files.write_atomically(partial / "release.json", json.dumps(answer, indent=1) + "\n")
        partial.rename(final)
    except BaseException:
        files.remove(partial)
        raise


def renew(parameters: Mapping[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
    """Have a release with today's secrets, or with those that are given."""
    layout, identifier = Layout(Path(parameters["root"])), parameters["id"]
    secrets = {name: str(value) for name, value in parameters["backend_secrets"].items()}
    passwords = parameters["backend_passwords"]
    backend = (layout.release(identifier) / "backend").is_dir()
    if secrets or passwords:
        # A frontend on a host of its own has no settings to renew.
        replaced = with_passwords(settings_text(layout, identifier), passwords) if backend else {}
        renewal = plan(layout, identifier, {**secrets, **replaced})
    else:
        renewal = plan_for_today(layout, identifier)
    releases = records.complete_releases(layout)
    missing = renewal.identifier not in releases
    origin = releases.get(renewal.identifier, {}).get("renewed_from") or identifier
    answer: dict[str, Any] = {
        "id": renewal.identifier,
        "path": str(layout.release(renewal.identifier)),
        "current": layout.current_release,
        "renewed": list(renewal.names),
        "renewed_from": origin,
    }
    if backend:
        answer["device_id"] = identity.read(layout.identity)
        answer["gateway_platform"] = platform_of(layout.release(identifier) / "backend")
    if missing:
        named = {*secret_names(renewal.before), *secret_names(renewal.after)}
        answer["diff"] = {
            "before_header": f"{layout.release(identifier)}/backend/.env",
            "before": _environment.masked(renewal.before, secret=named),
            "after_header": f"{layout.release(renewal.identifier)}/backend/.env",
            "after": _environment.masked(renewal.after, renewal.before, named),
        }
    again = records.outcome(releases.get(renewal.identifier, {})) == "failed"
    answer["changed"] = missing or again
    if answer["changed"] and not check_mode:
        with locks.deployment_lock(
            layout.lock, purpose="preparing a release", timeout=parameters["lock_timeout"]
        ):
            if missing:
                compose(layout, identifier, renewal, parameters["made_by"])
            else:
                # As a deployment does, it tries once more what failed.
                outcome.note(layout, renewal.identifier, outcome={})
    return answer
