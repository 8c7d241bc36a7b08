# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore points in a repository of restic: made, listed, restored, proved."""
