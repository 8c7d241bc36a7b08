# SPDX-License-Identifier: GPL-3.0-or-later
"""The application's database: its schema and its copies."""
