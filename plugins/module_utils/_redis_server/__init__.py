# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own Redis as the role redis has it: its files, its users, and what it is asked and told."""
