# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways and boards as Mission Control keeps them: read, compare, create, update, delete.

No Ansible here; the transport, the clock and the sleep are arguments.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._redaction import MASK, Redactor
from .api_transport import ApiError, Reply, RequestsTransport, Transport

# Mission Control connects to the gateway while it answers, and the gateway restarts itself while it is being
# provisioned: these answers mean "not now". 504 and 503 come from a proxy in between.
RETRY_STATUS = frozenset({429, 502, 503, 504})
SECRET_FIELDS = frozenset({"token"})
PAGE = 200
GATEWAYS = "/api/v1/gateways"


class Refusal(NamedTuple):
    """An answer of the API that refuses, and what to do about it."""

    # None: whatever the status.
    statuses: Collection[int] | None
    # What the reason has to say: a regular expression over it, in lower case.
    words: str
    remedy: str
    # Whether asking again may help, where that does not follow from the status.
    transient: bool | None = None


# The first row that fits counts; the last one fits everything.
REFUSALS: tuple[Refusal, ...] = (
    Refusal({401}, "", "Give the backend's LOCAL_AUTH_TOKEN in token (mission_control_token)."),
    Refusal({403}, "", "The token's user has to be owner or admin of the organization."),
    Refusal(
        range(300, 400),
        "",
        "The address leads elsewhere: give the final one (https instead of http, perhaps) in url.",
    ),
    Refusal(
        {404},
        "",
        "See that url is the address of Mission Control's backend and that this version serves the path.",
    ),
    Refusal(
        None,
        "pairing required",
        "Approve the backend's device on the gateway: the role gateway does it (module gateway_pairing), by "
        "hand it is `openclaw devices list` and `openclaw devices approve <request>`.",
        transient=False,
    ),
    Refusal(
        None,
        "protocol mismatch",
        "Gateway and backend speak different protocols: deploy a gateway version from the table in "
        "docs/gateway.md that fits the backend (gateway_version).",
        transient=False,
    ),
    Refusal(
        None,
        "authentication failed|unauthorized",
        "Give the token that the gateway was started with in gateway_token.",
        transient=False,
    ),
    # The product before March 2026 reads the version out of an answer that newer gateways give otherwise.
    Refusal(
        None,
        "unable to determine gateway version",
        "This revision of Mission Control does not understand how this gateway tells its version: deploy a "
        "newer revision (mission_control_revision), or an older gateway (gateway_version); or leave the "
        "gateway out for now (mission_control_gateways: []).",
    ),
    Refusal(
        None,
        "not supported.*version|version.*not supported",
        "Deploy a newer gateway (gateway_version), or lower GATEWAY_MIN_VERSION of the backend.",
    ),
    Refusal(
        {400, 422},
        "",
        "This version of Mission Control does not accept what is named: correct it in "
        "mission_control_gateways or mission_control_boards, or deploy a revision that knows it.",
    ),
    Refusal(
        {409},
        "",
        "Something of this name or address is there already, or was changed meanwhile: see what "
        "Mission Control shows, and run the task again.",
    ),
    Refusal(
        {413},
        "",
        "A proxy in between accepts less: raise its limit, or name the backend itself in url.",
    ),
    Refusal(
        RETRY_STATUS,
        "",
        "Mission Control could not reach the gateway: see that it runs and that gateway_url is its address "
        "as seen from the backend's host.",
    ),
    Refusal(
        None,
        "",
        "The backend failed on this request: journalctl "
        "_SYSTEMD_USER_UNIT=mission-control-backend.service tells why.",
    ),
)


def refusal_of(reply: Reply, what: str) -> ApiError:
    """A refusal in the operator's terms."""
    reason = reply.detail.lower()
    row = next(
        row
        for row in REFUSALS
        if (row.statuses is None or reply.status in row.statuses) and re.search(row.words, reason)
    )
    transient = reply.status in RETRY_STATUS if row.transient is None else row.transient
    return ApiError(
        f"{what}: {reply.status} {reply.detail}", row.remedy, status=reply.status, transient=transient
    )


class Api:
    """The two collections, one page after another."""

    def __init__(self, transport: Transport) -> None:
        self._send = transport

    def items(self, path: str) -> list[dict[str, Any]]:
        """Every item of a paged list."""
        found: list[dict[str, Any]] = []
        while True:
            reply = self._send("GET", f"{path}?limit={PAGE}&offset={len(found)}", None)
            if reply.status != 200:
                raise refusal_of(reply, f"GET {path}")
            page = reply.json()
            if isinstance(page, list):
                return page
            items = page.get("items") if isinstance(page, dict) else None
            if not isinstance(items, list):
                raise ApiError(
                    f"GET {path} answered with something else than a list.",
                    "See that url is the address of Mission Control's backend, and of which version it is.",
                    status=200,
                )
            found += items
            if not items or len(found) >= int(page.get("total") or 0):
                return found

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        reply = self._send("POST", path, dict(body))
        if reply.status not in (200, 201):
            raise refusal_of(reply, f"POST {path}")
        made = reply.json()
        return made if isinstance(made, dict) else {}

    def update(self, path: str, identifier: str, body: Mapping[str, Any]) -> dict[str, Any]:
        reply = self._send("PATCH", f"{path}/{identifier}", dict(body))
        if reply.status != 200:
            raise refusal_of(reply, f"PATCH {path}/{identifier}")
        changed = reply.json()
        return changed if isinstance(changed, dict) else {}

    def delete(self, path: str, identifier: str) -> None:
        reply = self._send("DELETE", f"{path}/{identifier}", None)
        if reply.status not in (200, 202, 204, 404):
            raise refusal_of(reply, f"DELETE {path}/{identifier}")


def find(items: list[dict[str, Any]], keys: Mapping[str, Any], what: str) -> dict[str, Any] | None:
    """The item that the first key with a match names. More than one match is not guessed about."""
    for key, value in keys.items():
        if value in (None, ""):
            continue
        matches = [item for item in items if item.get(key) == value]
        if len(matches) > 1:
            raise ApiError(
                f"There are {len(matches)} {what}s with {key} {value!r}.",
                f"Delete the surplus ones in the user interface, or name the one that is meant by its id "
                f"({', '.join(str(item.get('id')) for item in matches)}).",
            )
        if matches:
            return matches[0]
    return None


def differences(item: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted fields that differ."""
    return {name: value for name, value in wanted.items() if item.get(name) != value}


def shown(item: Mapping[str, Any] | None, redactor: Redactor) -> dict[str, Any]:
    """An item as a result may show it: no token, not even one that we did not send."""
    if item is None:
        return {}
    redactor.add(*(str(item[name]) for name in SECRET_FIELDS if item.get(name)))
    hidden = {name: MASK if name in SECRET_FIELDS and value else value for name, value in item.items()}
    cleaned = redactor.data(hidden)
    return cleaned if isinstance(cleaned, dict) else {}


def diff_side(item: Mapping[str, Any] | None, names: list[str], mark: str) -> str:
    """One side of a diff, secrets replaced by a mark that shows that they differ without showing them."""
    if item is None:
        return ""
    lines = {}
    for name in names:
        value = item.get(name)
        lines[name] = (f"{MASK} ({mark})" if value else None) if name in SECRET_FIELDS else value
    return json.dumps(lines, indent=2, sort_keys=True) + "\n"


@dataclass
class Outcome:
    """What was done, or would be."""

    changed: bool = False
    action: str = "none"
    item: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    fields: list[str] = field(default_factory=list)
    attempts: int = 1


class Registrar:
    """Brings one item of a collection to the wanted state, patiently."""

    def __init__(
        self,
        api: Api,
        path: str,
        what: str,
        *,
        deadline: float = 90.0,
        interval: float = 1.0,
        check: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._path = path
        self._what = what
        self._deadline = deadline
        self._interval = interval
        self._check = check
        self._monotonic = monotonic
        self._sleep = sleep

    def _patiently(self, step: Callable[[int], Outcome]) -> Outcome:
        until = self._monotonic() + self._deadline
        pause = self._interval
        attempt = 1
        while True:
            try:
                outcome = step(attempt)
                outcome.attempts = attempt
                return outcome
            except ApiError as error:
                if not error.transient or self._monotonic() + pause > until:
                    raise
            self._sleep(pause)
            pause = min(pause * 1.5, 10.0)
            attempt += 1

    def present(
        self,
        keys: Mapping[str, Any],
        wanted: Mapping[str, Any],
        *,
        create_only: Mapping[str, Any] | None = None,
        touch: str = "",
    ) -> Outcome:
        """Create or update.

        An attempt that was answered with an error may have left the item behind: the product stores a gateway
        before it provisions its agent. So each attempt looks again, and what it then finds is updated
        (`touch` names a field to send where none differs), which finishes the provisioning.
        """
        memory: dict[str, Any] = {"broken": False, "before": None, "seen": False, "created": False}

        def step(_attempt: int) -> Outcome:
            item = find(self._api.items(self._path), keys, self._what)
            if not memory["seen"]:
                memory["seen"], memory["before"] = True, item
            before = memory["before"]
            if item is None:
                fields = sorted(wanted)
                if self._check:
                    return Outcome(True, "create", dict(wanted), None, fields)
                memory["broken"] = memory["created"] = True
                made = self._api.create(self._path, {**wanted, **(create_only or {})})
                memory["broken"] = False
                return Outcome(True, "create", made, None, fields)
            changes = differences(item, wanted)
            fields = sorted(differences(before, wanted)) if before else sorted(wanted)
            if not changes and memory["broken"] and touch:
                changes = {touch: wanted[touch]}
            if not changes:
                created = memory["created"] and before is None
                return Outcome(
                    bool(fields),
                    "create" if created else ("update" if fields else "none"),
                    item,
                    before,
                    fields,
                )
            if self._check:
                return Outcome(True, "update", {**item, **changes}, before, fields)
            memory["broken"] = True
            changed = self._api.update(self._path, str(item["id"]), changes)
            memory["broken"] = False
            return Outcome(True, "create" if before is None else "update", changed, before, fields)

        return self._patiently(step)

    def absent(self, keys: Mapping[str, Any]) -> Outcome:
        """Delete, where it is there."""

        def step(_attempt: int) -> Outcome:
            item = find(self._api.items(self._path), keys, self._what)
            if item is None:
                return Outcome()
            if not self._check:
                self._api.delete(self._path, str(item["id"]))
            return Outcome(True, "delete", None, item, [])

        return self._patiently(step)


def api_of(options: Mapping[str, Any]) -> Api:
    """Mission Control's API as the options of the modules gateway and board name it."""
    verify = options["ca_path"] or True if options["validate_certs"] else False
    return Api(
        RequestsTransport(
            options["url"],
            options["token"],
            timeout=options["timeout"],
            verify=verify,
            users=options["trusted_users"],
        )
    )


@contextlib.contextmanager
def told_without(redactor: Redactor) -> Iterator[None]:
    """A refusal is passed on without secrets."""
    try:
        yield
    except ApiError as error:
        error.message = redactor.text(error.message)
        raise
