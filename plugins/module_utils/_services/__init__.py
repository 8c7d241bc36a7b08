# SPDX-License-Identifier: GPL-3.0-or-later
"""The daily commands: state, control and logs of the services."""
