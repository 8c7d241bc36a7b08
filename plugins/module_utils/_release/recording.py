# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down what a part of a release consists of, for `integrity` to compare with."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from .._host import files, trees
from .integrity import NAME

# What has a judgment of its own (the settings), or is the program's own while it runs.
_LEFT_OUT = re.compile(r"(\.env|\.venv|\.node|\.next/cache/.*)$")


def record(part: Path) -> None:
    """Write down what there is."""
    found = {
        name: _entry(entry)
        for name, entry in trees.entries(part, ())
        if name != NAME and not _LEFT_OUT.match(name)
    }
    files.write_atomically(part / NAME, json.dumps(found, separators=(",", ":")) + "\n")


def _entry(entry: os.DirEntry[str]) -> list[Any]:
    if entry.is_symlink():
        return [str(Path(entry.path).readlink())]
    status = entry.stat(follow_symlinks=False)
    return [status.st_size, status.st_mtime_ns, files.file_digest(Path(entry.path))]
