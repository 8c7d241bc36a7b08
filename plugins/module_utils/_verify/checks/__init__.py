# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks, one a file: `run(context, options)` collects evidence, pure functions judge it."""
