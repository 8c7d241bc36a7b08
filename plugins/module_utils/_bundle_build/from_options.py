# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle made from the options of the module bundle_build, under the lock of its directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import _redaction
from .._host import files, locks, privileges
from .._host.accounts import Account
from .._host.builds import BuildCommands, download_environment
from .._redaction import Redactor
from .build import BundleSpec, Frontend, Gateway, Work, build, finish


def spec_of(parameters: Mapping[str, Any]) -> BundleSpec:
    """What the bundle shall hold, of the options of the module bundle_build."""
    frontends = [
        Frontend(
            environment={name: str(value) for name, value in item["environment"].items()},
            fonts=item["fonts"],
            node=item["node_version"],
        )
        for item in parameters["frontends"]
    ]
    gateways = [
        Gateway(item["version"], item["node_version"], tuple(item["plugins"]))
        for item in parameters["gateways"]
    ]
    return BundleSpec(
        packages=tuple(sorted(set(parameters["packages"]))),
        revision=parameters["revision"],
        asked=parameters["asked_revision"],
        backend=parameters["backend"],
        python=parameters["python"],
        uv=parameters["uv_version"] if parameters["revision"] or gateways else "",
        frontends=tuple(frontends),
        gateways=tuple(gateways),
        fonts_program=parameters["fonts_program"],
        made_by=parameters["made_by"],
    )


def make(parameters: Mapping[str, Any], account: Account) -> dict[str, Any]:
    """Make the bundle as the user; `parameters` are the options of the module bundle_build."""
    directory = Path(parameters["work"])
    environment = download_environment(account, parameters["download_environment"])
    secrets = _redaction.secrets(parameters["download_environment"])
    log = directory / "bundle.log"
    with locks.deployment_lock(directory / ".lock", purpose="making a bundle", timeout=900) as lock:
        commands = BuildCommands(log, environment, redactor=Redactor(secrets), keep_open=(lock,))
        privileges.stop_with(commands.cancel)
        work = Work(directory, account, commands, secrets)
        spec = spec_of(parameters)
        manifest = build(work, spec)
        bundle, changed = finish(work, spec, manifest)
        return {
            "changed": changed,
            "bundle": str(bundle),
            "size": bundle.stat().st_size,
            "sha256": files.file_digest(bundle),
            "manifest": manifest,
            "timings": work.timings,
            "log": str(log),
        }
