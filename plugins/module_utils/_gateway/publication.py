# SPDX-License-Identifier: GPL-3.0-or-later
"""As of which moment npm resolves what a version of OpenClaw needs.

OpenClaw names ranges of some 500 packages. Resolved as of its own publication (`npm install --before`) they
are the same on every host and on every day, and what its makers could test. A package of theirs may come some
minutes or hours later than the version that names exactly it: then that moment is the first at which the
version could be installed at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from .._plain_json import parse_json

# npm's ETARGET for an exact version, where there is a date (pickManifest of npm-pick-manifest).
_LATER = re.compile(
    r"No matching version found for ((?:@[\w.~-]+/)?[\w.~-]+)@(\d+\.\d+\.\d+[\w.+-]*) with a date before"
)
# How many packages may have come later than the version that names them.
MOST_LATER = 12


def moment(times: str, version: str) -> str:
    """When a version was published (UTC, ISO 8601); empty where that is not told.

    times: what `npm view PACKAGE time --json` said.
    """
    try:
        published = datetime.fromisoformat(parse_json(times)[version])
    except (ValueError, KeyError, TypeError):
        return ""
    # npm compares whole seconds.
    return f"{published.astimezone(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"


def later(as_of: str, said: str, published: Callable[[str, str], str]) -> str:
    """The moment at which a package is there, too, that npm did not find; empty where it is not for that.

    as_of: the moment that npm was given.
    said: what it said then.
    published: gives the moment of a package's version.
    """
    missing = _LATER.search(said)
    found = published(*missing.groups()) if missing and as_of else ""
    return found if found > as_of else ""
