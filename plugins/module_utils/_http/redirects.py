# SPDX-License-Identifier: GPL-3.0-or-later
"""Following the redirects of an answer."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from .answer import Answer
from .failure import Failure
from .origin import origin_key

# More of them in a row lead nowhere.
MOST = 3


def follow(first: Answer, again: Callable[[str, bool], Answer], most: int = MOST) -> Answer:
    """What comes at the end, with the URLs on the way; for `then` of a client's request."""
    answer = first
    hops: list[str] = []
    while answer.status in (301, 302, 303, 307, 308) and answer.header("location"):
        target = urljoin(answer.url, answer.header("location"))
        if len(hops) >= most or target in hops:
            answer.failure = Failure("redirect_loop", f"more than {len(hops)} redirects")
            break
        if urlsplit(target).hostname != urlsplit(first.url).hostname:
            # Who answers must not choose whom we ask next: the answer stays what it is, a redirection.
            break
        hops.append(target)
        answer = again(target, origin_key(target) == origin_key(answer.url))
    answer.hops = tuple(hops)
    return answer
