# SPDX-License-Identifier: GPL-3.0-or-later
"""Every foreseeable mistake, found before anything is changed (see the action preflight)."""
