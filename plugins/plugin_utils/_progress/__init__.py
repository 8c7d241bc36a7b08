# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callbacks `progress` and `phases` tell of a run."""
