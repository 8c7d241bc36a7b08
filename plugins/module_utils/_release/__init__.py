# SPDX-License-Identifier: GPL-3.0-or-later
"""From a source to the links that put a release into service."""
