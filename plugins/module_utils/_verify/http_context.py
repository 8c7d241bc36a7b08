# SPDX-License-Identifier: GPL-3.0-or-later
"""What checks that ask over HTTP have besides a context: the client, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._application.door_access import LOST, NO_ENTRY, REFUSAL
from .._application.notice import HEADER, notice_of
from .._cures import DELIBERATE
from .._http.answer import Answer
from .._http.client import Client
from .._http.failure import Failure, load_requests
from .._http.reasons import REASONS
from .._redaction import Redactor
from .check import Prepared
from .context import Context, Problem, Shared, maintenance_problem
from .verdict import Verdict


def describe(answer: Answer, redactor: Redactor, *, where: str, variable: str, unit: str) -> Problem:
    """Why an answer is of no use, in the operator's terms."""
    evidence = answer.evidence(redactor)
    if answer.failure:
        return _no_answer(answer, answer.failure, redactor, where=where, variable=variable, unit=unit)
    request = redactor.text(f"{answer.method} {answer.url.split('?')[0]}")
    summary = f"{request} answered {answer.status}"
    if notice := notice_of(answer.header(HEADER)):
        return maintenance_problem(notice, evidence)
    if problem := _not_let_in(answer, summary, evidence):
        return problem
    if answer.header(REFUSAL) in LOST.values():
        return _lost(answer, summary, evidence)
    if answer.status >= 500:
        return Problem(
            "server_error",
            f"{summary}: the server failed",
            cause="The backend failed on this request; with what, is in its journal."
            if answer.status == 500
            else "A proxy got no usable answer from the service behind it.",
            remedy=f"Look at the journal of the service: {unit}.",
            evidence=evidence,
        )
    if 300 <= answer.status < 400:
        return Problem(
            "redirected",
            f"{summary}: redirected to {redactor.text(answer.header('location')) or 'nowhere'}",
            cause=f"A proxy redirects what {variable} names, or the scheme is wrong.",
            remedy=f"Name the final address in {variable}.",
            evidence=evidence,
        )
    if answer.status == 404:
        return Problem(
            "not_found",
            f"{summary}: not served there",
            cause="What answers there is no Mission Control backend, or one of another version.",
            remedy=f"Check that {variable} names the backend itself, and which version is deployed.",
            evidence=evidence,
        )
    return Problem(
        "unexpected_status",
        summary,
        cause="The check does not know this answer.",
        remedy=f"Look at the answer in the evidence and at the journal of the service: {unit}.",
        evidence=evidence,
    )


def _no_answer(
    answer: Answer, failure: Failure, redactor: Redactor, *, where: str, variable: str, unit: str
) -> Problem:
    place = answer.where()
    words = {
        **place,
        "where": where,
        "variable": variable,
        "unit": unit,
        "maybe_tls": " (perhaps TLS is off there)" if place["scheme"] == "https" else "",
    }
    cause, remedy = REASONS[failure.kind]
    return Problem(
        failure.kind,
        f"{place['host']}:{place['port']}: {redactor.text(failure.message)}",
        cause=cause.format(**words),
        remedy=remedy.format(**words),
        evidence=answer.evidence(redactor),
    )


def _lost(answer: Answer, summary: str, evidence: dict[str, Any]) -> Problem:
    """The front door answers in the place of somebody behind it."""
    page = answer.header(REFUSAL) == LOST["page"]
    behind = "frontend" if page else "backend"
    return Problem(
        "door_frontend_lost" if page else "door_backend_lost",
        f"{summary}: the front door does not reach the {behind}",
        cause=f"The {behind} is stopped, hangs or is just being started; or the door asks for it where it "
        "does not listen.",
        remedy=f"On its host: mission-control status; mission-control start {behind}. Where it runs: deploy "
        "again, which has the door ask where it listens.",
        cure=DELIBERATE,
        evidence=evidence,
    )


def _not_let_in(answer: Answer, summary: str, evidence: dict[str, Any]) -> Problem | None:
    """Why the backend does not answer this caller, who is known, unknown, or asks too often."""
    if answer.status == 401:
        return Problem(
            "unauthorized",
            f"{summary}: the token was not accepted",
            cause="The token given to the check is not the backend's LOCAL_AUTH_TOKEN.",
            remedy="Set mission_control_token to the value of LOCAL_AUTH_TOKEN in the backend's .env, "
            "or deploy again so that both are the same.",
            evidence=evidence,
        )
    if answer.header(REFUSAL) == NO_ENTRY:
        return Problem(
            "door_no_entry",
            f"{summary}: the front door lets in nobody from here",
            cause="mission_control_allowed_networks has no network of this address.",
            remedy="Ask from one of them, or add this one there and deploy again.",
            evidence=evidence,
        )
    if answer.status == 403:
        return Problem(
            "forbidden",
            f"{summary}: the token is known but may not do this",
            cause="The user of the token lacks the right, or what was asked for belongs to another "
            "organization.",
            remedy="Give the user the role owner or admin, and check that the board or group named exists.",
            evidence=evidence,
        )
    if answer.status == 429:
        wait = answer.header("retry-after")
        return Problem(
            "rate_limited",
            f"{summary}: too many requests" + (f", to be tried again in {wait} s" if wait else ""),
            cause="The backend or a proxy limits the rate of requests from this address.",
            remedy="Wait as long as Retry-After says, check less often, or raise the limit; behind a proxy "
            "set TRUSTED_PROXIES so that clients are told apart.",
            evidence=evidence,
        )
    return None


def trusted(options: Mapping[str, Any]) -> list[str]:
    """Who may be told secrets on this host; where no user is named, it is not known."""
    return [options["user"], *options["trusted_users"]] if options["user"] else []


def client_of(shared: Shared) -> Client:
    """The client of a run, made for the first check that wants it."""
    options = shared.options
    verify: bool | str = (options["ca_path"] or True) if options["validate_certs"] else False
    with shared.lock:
        client = shared.transport
        if not isinstance(client, Client):
            client = shared.transport = Client(
                options["url"],
                token=shared.token,
                users=trusted(options),
                timeout=float(options["timeout"]),
                verify=verify,
                redactor=shared.redactor,
                limit=shared.limit,
            )
        return client


class HttpContext(Context):
    """A check's view of a run, with the client that all checks of the run have in common."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.shared, context.name, context.waived)
        # Each attempt gets a view of its own: what the last one has found out is the context's.
        self.kept, self.failed_before = context.kept, context.failed_before
        self.client = client_of(context.shared)

    def problem(self, answer: Answer, *, variable: str = "", unit: str = "") -> Problem:
        """Why an answer is of no use."""
        return describe(
            answer,
            self.redactor,
            where=self.where,
            variable=variable or "mission_control_api_url",
            unit=unit or "journalctl _SYSTEMD_USER_UNIT=mission-control-backend.service",
        )

    def json(self, answer: Answer) -> Any:
        """The JSON of an answer that must be of the 200 family."""
        if not answer.ok:
            raise self.problem(answer)
        return self.parse(answer)

    def parse(self, answer: Answer) -> Any:
        """The JSON of an answer, whatever its status."""
        try:
            return answer.json()
        except ValueError:
            pass
        kind = answer.header("content-type").split(";")[0] or "no content type"
        if "json" in kind:
            raise Problem(
                "broken_json",
                f"{answer.method} {self.redactor.text(answer.url)} sent JSON that is cut off or damaged",
                cause="The answer broke off: the backend died while answering, or a proxy cut it.",
                remedy="Look at the journal of the backend and at the limits of any proxy in front of it.",
                evidence=answer.evidence(self.redactor),
            )
        raise Problem(
            "not_json",
            f"{answer.method} {self.redactor.text(answer.url)} sent {kind} instead of JSON",
            cause="Something else answers there: a proxy's own page, the frontend, or another program.",
            remedy="Check that mission_control_api_url names the backend, and that a proxy hands /api on to "
            "it.",
            evidence=answer.evidence(self.redactor),
        )

    def fetch(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The JSON at a path of the API."""
        return self.json(self.client.get(path, parameters=parameters))


class OverHttp(Prepared):
    """A check that asks over HTTP; marks its function `run`."""

    def __init__(self, run: Callable[[HttpContext, Mapping[str, Any]], Verdict]) -> None:
        def ask(context: Context, options: Mapping[str, Any]) -> Verdict:
            return run(context if isinstance(context, HttpContext) else HttpContext(context), options)

        super().__init__(ask)

    def load(self) -> None:
        """Import `requests`. Raises MissingLibraryError."""
        load_requests()

    def prepare(self, shared: Shared) -> None:
        """Have the client ready for all checks that ask. Raises MissingLibraryError."""
        client_of(shared).prepare()
