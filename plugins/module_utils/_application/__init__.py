# SPDX-License-Identifier: GPL-3.0-or-later
"""What Mission Control is and where its parts lie on a host."""
