# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of this host."""

from __future__ import annotations

import argparse
import json

from .._host.accounts import expand_home, find_account
from .._host.user_files import UserFiles
from .._release.records import local_time, made, release_facts, state_words
from .._tables import table
from .common import CommandError, Configuration, permitted, show


def command_releases(configuration: Configuration, options: argparse.Namespace) -> int:
    """The releases of this host."""
    account = find_account(configuration.user)
    permitted(account)
    facts = UserFiles(account).look(lambda: release_facts(expand_home(configuration.root, account)))
    found = [release for release in facts["available"] if not release["partial"]]
    if options.json:
        show(json.dumps({"current": facts["current"], "releases": found}, indent=2))
        return 0
    if not found:
        raise CommandError(f"There is no release in {facts['root']}/releases. Deploy one (playbook deploy).")
    rows = []
    for release in reversed(found):
        document = release["document"] or {}
        state = state_words(document, current=release["id"] == facts["current"])
        packages = document.get("packages")
        counted = packages.items() if isinstance(packages, dict) else ()
        told = ", ".join(f"{part} {number}" for part, number in counted)
        rows.append([release["id"], state, local_time(made(release)), told])
    show(table(["RELEASE", "STATE", "MADE", "PACKAGES"], rows, limit=90))
    return 0
