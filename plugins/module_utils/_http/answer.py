# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes back of a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .._plain_json import parse_json
from .._redaction import Redactor
from .failure import Failure


@dataclass
class Answer:
    """What came back, or why nothing did."""

    method: str
    url: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    timings: dict[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    certificate: dict[str, Any] | None = None
    hops: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether an answer of the 200 family came back whole."""
        return self.failure is None and 200 <= self.status < 300

    @property
    def duration_ms(self) -> float:
        """All phases together."""
        return self.timings.get("total", 0.0)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none."""
        return parse_json(self.body)

    def header(self, name: str) -> str:
        """A header by its name in any case."""
        return self.headers.get(name.lower(), "")

    def where(self) -> dict[str, Any]:
        """Host, port and scheme for messages."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return {"host": parts.hostname or "?", "port": port, "scheme": parts.scheme}

    def evidence(self, redactor: Redactor, sample: int = 300) -> dict[str, Any]:
        """What a report may show of it."""
        found: dict[str, Any] = {"request": f"{self.method} {redactor.text(self.url)}"}
        if self.failure:
            found["error"] = redactor.text(self.failure.message)
        if self.status:
            found["status"] = self.status
            found["content_type"] = self.header("content-type")
            # Cut after the redaction, else the cut could leave a piece of a secret that is no longer known.
            body = redactor.text(self.body[: sample * 20].decode("utf-8", "replace"))
            found["body"] = body if len(body) <= sample else body[:sample] + "…"
        for name in ("location", "retry-after", "x-request-id"):
            if self.header(name):
                found[name.replace("-", "_")] = redactor.text(self.header(name))
        found["timings_ms"] = {name: round(value, 1) for name, value in self.timings.items()}
        return found
