# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a restore point, handed over to the user whose it is, and compared with the manifest."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from .._host.accounts import Account
from .owners import SILENCE, alive, by_owner
from .restic import Restic, ResticError

_BLOCK = 1 << 20


class Reading:
    """A stream that knows the digest of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self.size = file, hashlib.sha256(), 0

    def read(self, number: int = -1) -> bytes:
        data = self._file.read(number)
        alive()
        self._digest.update(data)
        self.size += len(data)
        return data

    def facts(self) -> dict[str, Any]:
        """To the end, whatever of it was wanted."""
        while self.read(_BLOCK):
            pass
        return {"bytes": self.size, "sha256": self._digest.hexdigest()}


def fetch(
    restic: Restic,
    part: Mapping[str, Any],
    user: str,
    work: Callable[[Account, Reading], Mapping[str, Any]],
    *,
    silence: float = SILENCE,
) -> dict[str, Any]:
    """Have the user's own process work with a part; it fails unless all of it is as the manifest says."""

    def guarded(account: Account, descriptor: int) -> dict[str, Any]:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            stream = Reading(file)
            return {**work(account, stream), "stream": stream.facts()}

    with restic.stream(part["snapshot"], part["file"]) as pipe:
        answer: dict[str, Any] = by_owner(
            user, lambda account: guarded(account, pipe.fileno()), silence=silence, keep=[pipe.fileno()]
        )
    need_whole(answer.pop("stream"), part)
    return answer


def need_whole(facts: Mapping[str, Any], part: Mapping[str, Any]) -> None:
    """Refuse what was read if it is not as the manifest says."""
    if facts != {"bytes": part["bytes"], "sha256": part["sha256"]}:
        raise ResticError(
            f"What the repository gives for {part['file']} is not what was saved.",
            kind="damaged",
            remedy="Choose another restore point, and see what else is damaged: restic check --read-data.",
        )


def extract(
    stream: Reading, directory: Path, wanted: Callable[[str], bool] = lambda _name: True
) -> list[str]:
    """What is wanted of an archive into a directory, nothing elsewhere. Returns the files' names."""
    names = []
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
            archive.extraction_filter = tarfile.tar_filter
            for member in archive:
                if wanted(member.name):
                    archive.extract(member, directory)
                    names += [member.name] if member.isfile() else []
    except tarfile.TarError as error:
        raise ResticError(f"The archive cannot be read: {error}.", kind="damaged") from None
    return names
