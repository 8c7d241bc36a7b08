# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters that say why a host or its PostgreSQL does not let in who deploys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils import _refusals


def contact_refusal(result: Mapping[str, Any], host: str, user: str = "") -> str:
    """Why the first task of a play did not run on a host."""
    return str(_refusals.contact(result, host, user))


def database_refusal(message: str, files: Sequence[Mapping[str, str]], user: str, given: bool = False) -> str:
    """Why PostgreSQL does not let in its superuser."""
    return str(_refusals.database(message, files, user, given=bool(given)))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"contact_refusal": contact_refusal, "database_refusal": database_refusal}
