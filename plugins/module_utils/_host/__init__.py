# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system, nothing of the product: accounts, commands, files, processes, systemd."""
