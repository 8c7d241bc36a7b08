# SPDX-License-Identifier: GPL-3.0-or-later
"""The command's entry for the module verify: runs the checks on board, without a module."""

from __future__ import annotations

import json
import sys
import zipfile

from .._verify.standalone import check
from .._verify.verification import verify

# Precedes the result on standard output.
MARK = "@@mission-control "


def main(archive: str) -> int:
    """On the host, out of the command's archive: what is asked for comes on standard input."""
    asked = json.load(sys.stdin)
    with zipfile.ZipFile(archive) as found:
        if found.comment.decode().split()[:1] != [asked["sources_digest"]]:
            return 3
    result = verify(asked["options"], check, diff=asked["diff"])
    sys.stdout.write(f"\n{MARK}{json.dumps(result)}\n")
    return 0
