# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at what is a user's, in so much memory and no more: the host shall not run out of it."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import TypeVar

from .deployment_errors import DeploymentError

# Bytes of its own that a process may take which only looks; stacks of fifty threads are 0.4 GB of it. The
# address space is no measure: threads reserve much more of it than they use.
TO_LOOK = 1 << 30
Subject = TypeVar("Subject")
Answer = TypeVar("Answer")


def in_memory(work: Callable[[Subject], Answer], most: int = TO_LOOK) -> Callable[[Subject], Answer]:
    """The work for a process that looks and starts no programs that need more."""

    def bounded(subject: Subject) -> Answer:
        before, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        try:
            return work(subject)
        except MemoryError:
            raise DeploymentError(
                f"What belongs to the user takes more memory than a look at it has ({most >> 20} MB).",
                kind="too_large",
                remedy="See what lies below the application's root or in its database, and what made so much "
                "of it.",
            ) from None
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (before, hard))

    return bounded
