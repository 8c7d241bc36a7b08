# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking over an installation that was set up by hand."""
