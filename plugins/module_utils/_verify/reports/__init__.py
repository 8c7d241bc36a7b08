# SPDX-License-Identifier: GPL-3.0-or-later
"""Report formats. Each is a pure function from the document to a text."""
