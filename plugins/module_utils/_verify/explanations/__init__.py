# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of causes, by the check whose findings explain others. docs/verdicts.md is written from it."""
