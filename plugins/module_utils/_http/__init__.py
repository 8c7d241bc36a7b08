# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP for checks: pooled connections, timed phases, bounded in time and size, errors with a name.

Redirects, proxies of the environment, netrc and cookies are left out: a check must see what stands there.
`requests` and TLS are imported on first use, so that checks without HTTP do not need them.
"""
