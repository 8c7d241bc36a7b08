# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters that tell of backups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._backup import addresses
from ..plugin_utils import _backup_tables


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnsibleFilterError(f"{name} expects a dictionary, as a module returned it")
    return value


def backups_table(value: Any) -> str:
    """One table over the results of backup_info, by the names of the hosts."""
    return _backup_tables.backups_table(_mapping(value, "backups_table"))


def backup_sentence(value: Any) -> str:
    """What the module backup has done."""
    return _backup_tables.backup_sentence(_mapping(value, "backup_sentence"))


def restore_sentence(value: Any, host: str, file: str = "") -> str:
    """What the module backup_restore would do."""
    return _backup_tables.restore_sentence(_mapping(value, "restore_sentence"), host, file)


def backup_place(value: str, credentials: Any = None) -> dict[str, Any]:
    """The address of a repository without a login, and all that opens it."""
    repository, login = addresses.split_login(str(value))
    return {"repository": repository, "credentials": {**login, **_mapping(credentials or {}, "backup_place")}}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "backup_place": backup_place,
            "backups_table": backups_table,
            "backup_sentence": backup_sentence,
            "restore_sentence": restore_sentence,
        }
