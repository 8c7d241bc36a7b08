# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the checks, one check a file: a check's module brings along its own alone."""
