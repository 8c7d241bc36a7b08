# SPDX-License-Identifier: GPL-3.0-or-later
"""Python libraries that a host may lack."""

from __future__ import annotations


class MissingLibraryError(Exception):
    """A Python library that is needed is not installed where it runs."""

    def __init__(self, library: str, package: str) -> None:
        super().__init__(f"the Python library {library} is missing")
        self.library = library
        self.package = package
