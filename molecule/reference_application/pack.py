#!/usr/bin/env python3
"""Pack the reference application for deployment: make backend/uv.lock, write a directory or an archive.

uv.lock holds the addresses that packages are downloaded from, so it is not committed. It is made from the
exact pins and the cut-off date in backend/pyproject.toml. Nothing is written when nothing has changed.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PARTS = ("README.md", "backend", "frontend", "scripts")
SKIPPED_DIRECTORIES = {"node_modules", ".next", ".venv", "__pycache__"}
SKIPPED_FILES = {".env", "next-env.d.ts"}
SKIPPED_SUFFIXES = {".pyc", ".tsbuildinfo"}
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz")
LOCK = ROOT / "backend" / "uv.lock"
MARK = "# Made from pyproject.toml with sha256 "


class PackError(Exception):
    pass


def sources() -> Iterator[Path]:
    """Every file that belongs to the application, in a stable order."""
    for part in PARTS:
        top = ROOT / part
        if top.is_file():
            yield top
            continue
        for directory, names, files in os.walk(top):
            names[:] = sorted(name for name in names if name not in SKIPPED_DIRECTORIES)
            for name in sorted(files):
                path = Path(directory, name)
                if name not in SKIPPED_FILES and path.suffix not in SKIPPED_SUFFIXES:
                    yield path


def executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)


def digest() -> str:
    """One hash over names, modes and contents."""
    total = hashlib.sha256(Path(__file__).read_bytes())
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(json.dumps([name, executable(path), content]).encode())
    return total.hexdigest()


def find_uv(given: str | None) -> str:
    found = shutil.which(given or "uv")
    if found is None:
        raise PackError(
            f"uv was not found{f' at {given}' if given else ' on PATH'}, and backend/uv.lock has to be made: "
            "install it with 'python3 -m venv DIR && DIR/bin/pip install uv==0.13.9' "
            "and give its path with --uv DIR/bin/uv."
        )
    return found


def lock(uv: str | None) -> bool:
    """Make backend/uv.lock unless it was made from this pyproject.toml; say whether it was made."""
    mark = MARK + hashlib.sha256((LOCK.parent / "pyproject.toml").read_bytes()).hexdigest() + "\n"
    if LOCK.exists():
        with LOCK.open(encoding="utf-8") as current:
            if current.readline() == mark:
                return False
    command = [find_uv(uv), "lock", "--quiet", "--project", str(LOCK.parent), "--python", sys.executable]
    # The interpreter's version does not matter for the lock file; a download of one is not wanted.
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise PackError(f"'{' '.join(command)}' failed:\n{made.stderr.strip()}")
    LOCK.write_text(mark + LOCK.read_text(encoding="utf-8"), encoding="utf-8")
    return True


def write_directory(output: Path) -> None:
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for path in sources():
        target = partial / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o755 if executable(path) else 0o644)
    if output.exists():
        shutil.rmtree(output)
    partial.rename(output)


def write_archive(output: Path) -> None:
    """The same input gives the same bytes: no times, owners or umask in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sources():
            content = path.read_bytes()
            member = tarfile.TarInfo(f"reference-application/{path.relative_to(ROOT).as_posix()}")
            member.size = len(content)
            member.mode = 0o755 if executable(path) else 0o644
            archive.addfile(member, io.BytesIO(content))
    partial = output.with_name(f".{output.name}.partial")
    partial.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    partial.rename(output)


def pack(output: Path, uv: str | None, force: bool) -> str:
    archive = output.name.endswith(ARCHIVE_SUFFIXES)
    stamp = output.with_name(f".{output.name}.stamp")
    if output.exists() and not stamp.exists() and not force:
        raise PackError(f"{output} exists and was not made by this program; remove it or give --force.")
    lock(uv)
    current = digest()
    if output.exists() and stamp.exists() and stamp.read_text() == current and not force:
        return "unchanged"
    output.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    (write_archive if archive else write_directory)(output)
    stamp.write_text(current)
    return "packed"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "output", type=Path, help="a directory, or an archive when it ends in .tar.gz or .tgz"
    )
    parser.add_argument("--uv", metavar="PATH", help="the uv to make the lock file with (default: on PATH)")
    parser.add_argument("--force", action="store_true", help="write even when nothing has changed")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    try:
        state = pack(output, arguments.uv, arguments.force)
    except (PackError, OSError) as error:
        print(f"pack.py: {error}", file=sys.stderr)
        return 1
    checksum = f" sha256:{hashlib.sha256(output.read_bytes()).hexdigest()}" if output.is_file() else ""
    print(f"{state} {output}{checksum}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
