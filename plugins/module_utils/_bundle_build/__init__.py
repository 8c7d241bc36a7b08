# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a bundle: the steps, and what the options of the module bundle_build ask of them."""
