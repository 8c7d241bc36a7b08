# SPDX-License-Identifier: GPL-3.0-or-later
"""How releases are named: by their source's revision and by what their parts are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._application.digests import digest

# Part of every release's name: a change here composes releases anew.
RECIPE = 1


def identifier_of(revision: str, fingerprints: Mapping[str, str]) -> str:
    """The name of a release that is made of these parts."""
    name = digest({"recipe": RECIPE, "revision": revision, "parts": dict(sorted(fingerprints.items()))}, 8)
    return f"{revision[:12]}-{name}"


def backend_fingerprint(trees: Mapping[str, Any], python: str, environment: str) -> str:
    """What backend and worker are started from: code, packages and settings.

    It shows no secret: a long random token is always part of the settings.
    """
    return digest(
        {
            "trees": [trees.get("backend"), trees.get("scripts")],
            "python": python,
            "environment": environment,
        }
    )
