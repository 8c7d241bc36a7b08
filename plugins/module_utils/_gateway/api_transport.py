# SPDX-License-Identifier: GPL-3.0-or-later
"""How Mission Control's API is asked to keep gateways and boards, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from .._host.errors import HostError
from .._host.libraries import MissingLibraryError
from .._http.failure import classify, load_requests
from .._http.guarded import guard
from .._plain_json import parse_json


class ApiError(HostError):
    """Why Mission Control did not do what was asked."""

    def __init__(self, message: str, remedy: str = "", *, status: int = 0, transient: bool = False) -> None:
        super().__init__(message, kind="api", remedy=remedy)
        self.status = status
        self.transient = transient

    def result(self) -> dict[str, Any]:
        """The arguments of fail_json."""
        return {"msg": self.message, "remedy": self.remedy, "status": self.status}


@dataclass(frozen=True)
class Reply:
    """An answer of the API."""

    status: int
    text: str

    def json(self) -> Any:
        try:
            return parse_json(self.text)
        except ValueError:
            raise ApiError(
                f"The API answered {self.status} with something that is not JSON.",
                "See that url is the address of Mission Control's backend, not that of its user interface.",
                status=self.status,
            ) from None

    @property
    def detail(self) -> str:
        """The reason that the API gives."""
        try:
            body = parse_json(self.text)
        except ValueError:
            return self.text[:300]
        detail = body.get("detail") if isinstance(body, dict) else body
        if isinstance(detail, list):
            # FastAPI: one entry for each field that it refuses.
            parts = []
            for item in detail:
                where = ".".join(str(part) for part in item.get("loc", []) if part != "body")
                parts.append(f"{where}: {item.get('msg')}" if where else str(item.get("msg")))
            return "; ".join(parts)
        return str(detail)


Transport = Callable[[str, str, Any], Reply]


class RequestsTransport:
    """HTTP with `requests`; proxies and netrc of the environment are left out, as in the checks."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 60.0,
        verify: bool | str = True,
        users: Collection[str] = (),
    ) -> None:
        try:
            requests = load_requests()
        except MissingLibraryError as error:
            raise ApiError(
                f"{error}.", f"Install the package {error.package} where this task runs."
            ) from None
        self._errors = requests.exceptions
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = verify
        guard(self._session, users)
        self._session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "User-Agent": "mission-control-ansible",
            }
        )

    def __call__(self, method: str, path: str, body: Any = None) -> Reply:
        try:
            answer = self._session.request(
                method, self._url + path, json=body, timeout=self._timeout, allow_redirects=False
            )
        except self._errors.RequestException as error:
            failure = classify(error)
            if failure.kind == "stranger":
                raise ApiError(
                    f"The token was not sent to {self._url}: {failure.message}.",
                    "End what has taken the port (ss -ltnp), and deploy again.",
                ) from None
            raise ApiError(
                f"{self._url}: {failure.message}",
                "See that url is the address of Mission Control's backend as seen from where this task "
                "runs, and "
                "that the backend runs.",
                transient=failure.kind in ("refused", "reset", "timeout", "connect_timeout", "incomplete"),
            ) from None
        return Reply(answer.status_code, answer.text)
