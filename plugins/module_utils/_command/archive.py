# SPDX-License-Identifier: GPL-3.0-or-later
"""The host command as one executable archive of this collection's own files.

The archive is made on the host, so that it holds bytecode of the host's Python and starts at once. The
sources are in it, too: another Python, after an upgrade of the distribution, simply reads those.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import py_compile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._application.components import SERVICES

NAME = "mission_control"
INTERPRETER = "/usr/bin/python3"
# The options of the module host_command, without those that the controller fills in.
SPECIFICATION: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "user": {"type": "str"},
    "gateway_user": {"type": "str", "default": ""},
    "root": {"type": "str", "default": "~/mission-control"},
    "services": {
        "type": "list",
        "elements": "str",
        "choices": list(SERVICES),
        "default": ["backend", "worker", "frontend"],
    },
    "verify": {"type": "dict", "default": {}},
    "path": {"type": "path", "default": "/usr/local/bin/mission-control"},
    "completion_path": {
        "type": "path",
        "default": "/usr/local/share/bash-completion/completions/mission-control",
    },
}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def identity(files: Mapping[str, str]) -> str:
    """The digest of the sources of an archive."""
    digest = hashlib.sha256()
    for path, text in sorted(files.items()):
        digest.update(f"{path}\0{text}\0".encode())
    return digest.hexdigest()


def mark(sources_digest: str) -> bytes:
    """Says in an archive what it is made from: sources, and the version of the bytecode."""
    return f"{sources_digest} {importlib.util.MAGIC_NUMBER.hex()}".encode()


def archive(files: Mapping[str, str]) -> bytes:
    """The executable archive. The same sources give the same bytes."""
    buffer = io.BytesIO()
    buffer.write(f"#!{INTERPRETER} -I\n".encode())
    with (
        tempfile.TemporaryDirectory() as directory,
        zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED) as target,
    ):
        source, bytecode = Path(directory, "source.py"), Path(directory, "source.pyc")
        for path, text in sorted(files.items()):
            target.writestr(zipfile.ZipInfo(path, _EPOCH), text, zipfile.ZIP_DEFLATED)
            if path == "__main__.py":
                continue
            source.write_text(text, encoding="utf-8")
            py_compile.compile(
                str(source),
                str(bytecode),
                dfile=path,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
            # Bytecode is not compressed: it is what every start reads.
            target.writestr(zipfile.ZipInfo(f"{path}c", _EPOCH), bytecode.read_bytes(), zipfile.ZIP_STORED)
        target.comment = mark(identity(files))
    return buffer.getvalue()


def is_current(path: Path, sources_digest: str) -> bool:
    """Whether the installed archive is the one that would be made of these sources."""
    try:
        with zipfile.ZipFile(path) as found:
            if found.comment != mark(sources_digest):
                return False
            names = [name for name in found.namelist() if not name.endswith(".pyc")]
            return identity({name: found.read(name).decode() for name in names}) == sources_digest
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile):
        return False
