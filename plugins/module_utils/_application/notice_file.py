# SPDX-License-Identifier: GPL-3.0-or-later
"""Where it stands what users and operators are told during maintenance."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from .._host import reading
from .._host.user_files import UserFiles
from .._plain_json import parse_json
from .notice import Notice, parse

NAME = "maintenance"


def path_of(root: Path) -> Path:
    return root / "shared" / f"{NAME}.json"


def read_notice(root: Path) -> Notice | None:
    """What is told now; None when there is no maintenance."""
    try:
        return parse(parse_json(reading.read_regular(path_of(root))))
    except OSError:
        return None
    except ValueError:
        return parse({})


def notice_of_user(files: UserFiles, root: Path) -> Notice | None:
    """The same, looked at by the user whose files these are. Raises OSError where he cannot."""

    def look() -> dict[str, str] | None:
        told = read_notice(root)
        return None if told is None else asdict(told)

    found = files.look(look)
    return None if found is None else Notice(**found)
