# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters that compare files with what they are to hold, and whose they are to be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def differing_files(contents: Any, found: Any) -> list[str]:
    """The paths whose files are missing or hold something else, in order."""
    if not isinstance(contents, Mapping) or not isinstance(found, Mapping):
        raise AnsibleFilterError("differing_files expects contents by path and what was found by path")
    return [
        str(path)
        for path, content in contents.items()
        if (found.get(path) or {}).get("sha256") != hashlib.sha256(str(content).encode()).hexdigest()
    ]


def differing_rights(rights: Any, found: Any) -> list[str]:
    """The paths whose files are there with another owner, group or mode, in order."""
    if not isinstance(rights, Mapping) or not isinstance(found, Mapping):
        raise AnsibleFilterError("differing_rights expects rights by path and what was found by path")
    return [
        str(path)
        for path, wanted in rights.items()
        if (there := found.get(path) or {}).get("exists")
        and any(there.get(name) != wanted[name] for name in ("owner", "group", "mode"))
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"differing_files": differing_files, "differing_rights": differing_rights}
