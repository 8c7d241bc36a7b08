# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenClaw gateway: its files, its configuration, its protocol, its registration."""
