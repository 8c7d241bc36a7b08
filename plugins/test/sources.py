# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What kind of source a location is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._release.source import kind_of


def git_repository(location: Any) -> bool:
    """Whether the location of a source is a Git repository, which has revisions."""
    return kind_of(str(location), lambda _path: True) == "git"


class TestModule:
    """The tests of this file."""

    def tests(self) -> dict[str, Callable[[Any], bool]]:
        return {"git_repository": git_repository}
