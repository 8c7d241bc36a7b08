"""So many requests a minute from one address, counted as the product does; in memory."""

from __future__ import annotations

from collections import defaultdict, deque
from time import monotonic

WINDOW_SECONDS = 60.0


class Limiter:
    def __init__(self, requests: int) -> None:
        self.requests = requests
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)

    def allows(self, address: str) -> bool:
        """Whether this request is still within the limit; one that is not does not count."""
        now, seen = monotonic(), self._seen[address]
        while seen and now - seen[0] >= WINDOW_SECONDS:
            seen.popleft()
        if len(seen) >= self.requests:
            return False
        seen.append(now)
        return True


# The product's figures (backend/app/core/rate_limit.py there).
agent_logins = Limiter(20)
webhooks = Limiter(60)
