# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

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
        state = state_words(release["document"] or {}, current=release["id"] == facts["current"])
        rows.append([release["id"], state, local_time(made(release))])
    show(table(["RELEASE", "STATE", "MADE"], rows, limit=90))
    return 0
