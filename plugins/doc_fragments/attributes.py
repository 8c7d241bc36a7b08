# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Attributes of modules that look and never change."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return the same, because nothing is ever changed.
    support: full
  diff_mode:
    description: Returns details on what has changed, or what differs, in diff mode.
    support: none
  platform:
    description: Systems on which it runs.
    support: full
    platforms: posix
"""
