# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks without Ansible: from evidence to verdicts, causes and results."""
