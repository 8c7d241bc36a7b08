# SPDX-License-Identifier: GPL-3.0-or-later
"""The first authenticated call, and whether it was the one that created the owner."""

from __future__ import annotations

import email.utils
import http.client
import ssl
import urllib.request
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .._host.answering import StrangerError, refuse_strangers
from .._host.errors import HostError
from .._plain_json import parse_json

HEALTH = "/healthz"
MEMBERSHIP = "/api/v1/organizations/me/member"


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    date: str = ""  # the server's clock


Ask = Callable[[str], Answer]


def caller(url: str, token: str, timeout: float, ca_path: str | None, users: Collection[str] = ()) -> Ask:
    """GET requests with the token; it goes nowhere but into a header, and to no other host.

    :param users: to whom it may go on this host without TLS, besides root; anybody where none is named.
    """
    base = url.rstrip("/")
    context = ssl.create_default_context(cafile=ca_path) if base.startswith("https:") else None

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
            return None

    class Guarded(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            refuse_strangers(self.sock, users)

    class Handler(urllib.request.HTTPHandler):
        def http_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(Guarded, request)

    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), NoRedirect(), Handler()]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    opener = urllib.request.build_opener(*handlers)

    def ask(path: str) -> Answer:
        headers = {"Accept": "application/json"}
        if path != HEALTH:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(base + path, headers=headers)  # noqa: S310 (the operator's URL)
        try:
            with opener.open(request, timeout=timeout) as reply:
                return Answer(
                    reply.status, reply.read().decode("utf-8", "replace"), reply.headers.get("Date", "")
                )
        except urllib.error.HTTPError as error:
            with error:
                return Answer(
                    error.code, error.read().decode("utf-8", "replace"), error.headers.get("Date", "")
                )
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, StrangerError):
                raise HostError(
                    f"The token was not sent to {base}: {reason}.",
                    kind="stranger",
                    remedy="End what has taken the port (ss -ltnp), and deploy again.",
                ) from None
            raise HostError(
                f"The backend at {base} cannot be reached: {reason}.",
                kind="unreachable",
                remedy="See its journal: journalctl --user -u mission-control-backend.",
            ) from None

    return ask


def first_call(ask: Ask) -> dict[str, Any]:
    """Ask for the caller's membership. It is new if not older than the server's clock before."""
    before = ask(HEALTH)
    answer = ask(MEMBERSHIP)
    if answer.status == 401:
        raise HostError(
            "The backend refuses the token (401).",
            kind="unauthorized",
            remedy="It runs with another LOCAL_AUTH_TOKEN than mission_control_token.",
        )
    try:
        member: Mapping[str, Any] = parse_json(answer.body)
        role = str(member["role"])
    except (ValueError, KeyError, TypeError):
        member, role = {}, ""
    if answer.status != 200 or not role:
        raise HostError(
            f"{MEMBERSHIP} answers {answer.status} instead of the caller's membership.",
            kind="unexpected_answer",
            remedy="See the backend's journal: journalctl --user -u mission-control-backend.",
        )
    return {
        "role": role,
        "user_id": member.get("user_id"),
        "organization_id": member.get("organization_id"),
        "created": _is_new(str(member.get("created_at") or ""), before.date),
    }


def _is_new(created_at: str, date: str) -> bool:
    try:
        created = datetime.fromisoformat(created_at)
        clock = email.utils.parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return False
    if created.tzinfo is None:
        created = created.replace(tzinfo=UTC)
    return created >= clock
