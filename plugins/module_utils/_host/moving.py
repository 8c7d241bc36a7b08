# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories moved and given away."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

from . import files


def give(path: Path, user: int, group: int) -> None:
    """Another owner, of the thing itself and not of what a link leads to."""
    os.chown(path, user, group, follow_symlinks=False)


def move(source: Path, target: Path) -> None:
    """Rename a directory; what an overlay file system cannot rename is copied, with owners and links."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = target.with_name(f"{target.name}.partial")
        files.remove(partial)
        argv = ["/usr/bin/cp", "--archive", "--no-target-directory", "--", str(source), str(partial)]
        subprocess.run(argv, check=True, capture_output=True)
        partial.rename(target)
        files.remove(source)
