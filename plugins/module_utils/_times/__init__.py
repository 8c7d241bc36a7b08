# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations and moments: as people, reports and records write them."""
