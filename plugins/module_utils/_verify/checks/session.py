# SPDX-License-Identifier: GPL-3.0-or-later
"""Single sessions with their history. An unknown one is a failure, although its history answers 200."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from ..._http.answer import Answer
from ..._times.amounts import brief
from ..._times.timestamps import timestamp
from ..asking_root import AskingRoot
from ..context import Problem
from ..http_context import HttpContext, OverHttp
from ..thresholds import judge
from ..verdict import FAIL, PASS, SKIP, WARN, Measure, Verdict, combine
from .dialect import dialect
from .gateway_sessions import is_main, sessions_of
from .gateway_targets import Target, nothing_bound, targets
from .through_gateway import ask_gateway

# The first history call after the start of a gateway takes seconds.
HISTORY_TIMEOUT = 30.0


def judge_detail(context: HttpContext, key: str, answer: Answer) -> Verdict:
    """The session itself."""
    if answer.status == 404 and not answer.failure:
        return Verdict(
            "detail",
            FAIL,
            "the gateway does not know this session",
            cause=f"There is no session {key}: it was reset or deleted, or the key is misspelt.",
            remedy="Compare with the keys that the sessions check lists; start the agent again.",
            kind="session_unknown",
            evidence=answer.evidence(context.redactor),
        )
    body = context.json(answer)
    session = body.get("session") if isinstance(body, dict) and "session" in body else body
    if not isinstance(session, dict) or "key" not in session:
        raise Problem(
            "unexpected_shape",
            "the answer holds no session",
            cause="The backend is of a version whose answers have another shape.",
            remedy="Compare mission_control_revision with the versions that this collection supports.",
            evidence=answer.evidence(context.redactor),
        )
    if session["key"] != key:
        return Verdict(
            "detail",
            FAIL,
            f"asked for {key}, got {session['key']}",
            cause="A proxy decodes the percent-encoded key in the path, or answers from a cache.",
            remedy="Let the proxy pass paths on as they are.",
            kind="session_other",
        )
    evidence = {name: session.get(name) for name in ("key", "label", "model", "updatedAt")}
    return Verdict("detail", summary=str(session.get("label") or key), evidence=evidence)


def judge_history(history: Any, now: float, options: Mapping[str, Any]) -> Verdict:
    """Order of the messages, age of the last one, and how it ended."""
    if not isinstance(history, list):
        raise Problem(
            "unexpected_shape",
            "the history is not a list",
            cause="The backend is of a version whose answers have another shape.",
            remedy="Compare mission_control_revision with the versions that this collection supports.",
        )
    messages = [message for message in history if isinstance(message, Mapping)]
    times = [moment for moment in (timestamp(message.get("timestamp")) for message in messages) if moment]
    verdict = Verdict("history", summary=f"{len(messages)} messages")
    verdict.measures = [Measure("messages", float(len(messages)))]
    verdict.evidence = {"messages": len(messages), "roles": _roles(messages)}
    if len(messages) < options["messages_minimum"]:
        verdict.state, verdict.kind = FAIL, "session_empty"
        verdict.summary = f"{len(messages)} messages, expected were {options['messages_minimum']} or more"
        verdict.cause = "The session was reset, or its agent has not worked yet."
        verdict.remedy = "Send the agent a message; adjust messages_minimum."
        return verdict
    if any(later < earlier for earlier, later in pairwise(times)):
        verdict.state, verdict.kind = FAIL, "session_order"
        verdict.summary = "the messages are not in the order of their times"
        verdict.cause = "The gateway's clock was set back, or histories of two sessions were mixed."
        verdict.remedy = "Check the clock of the gateway's host (timedatectl)."
        return verdict
    last = messages[-1] if messages else {}
    stop = str(last.get("stopReason") or "")
    if stop.lower() in ("error", "aborted", "failed") or last.get("errorMessage"):
        verdict.state, verdict.kind = FAIL, "session_error"
        verdict.evidence["stop_reason"] = stop
        verdict.evidence["error"] = str(last.get("errorMessage") or "")[:300]
        verdict.summary = f"the last message ended with {stop or 'an error'}"
        verdict.cause = (
            "The agent's last turn failed: its language model refused or was not reached, or it was cut off."
        )
        verdict.remedy = "Look at the gateway's journal and at the credentials of the language model."
        return verdict
    if times:
        age = max(0.0, now - times[-1])
        warn, crit = options["message_age_warning"], options["message_age_critical"]
        verdict.state = judge(age, warn, crit)
        verdict.summary += f", the last one {brief(age)} ago"
        verdict.measures.append(Measure("last message age", round(age), "s", warn, crit))
        if verdict.state != PASS:
            verdict.kind = "session_silent"
            verdict.cause = "The agent has not said anything for long."
            verdict.remedy = "Look at the agent; adjust message_age_warning and message_age_critical."
    return verdict


def _roles(messages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for message in messages:
        role = str(message.get("role") or "?")
        found[role] = found.get(role, 0) + 1
    return found


def newest(body: Mapping[str, Any]) -> str | None:
    """The key of the session that was active last, the main one only where there is no other."""
    listed = [session for session in body["sessions"] if isinstance(session, Mapping) and session.get("key")]
    listed.sort(
        key=lambda session: (
            not is_main(session, body),
            timestamp(session.get("updatedAt")) or 0,
        )
    )
    return str(listed[-1]["key"]) if listed else None


@AskingRoot
@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """The sessions named, or the newest one of each gateway."""
    prefix = dialect(context).prefix
    found = targets(context, options)
    if not found:
        raise nothing_bound()
    works: dict[str, tuple[Target, str]] = {}
    if options["session_ids"]:
        # Where boards share a gateway, or the session's board is not named, any of them may know it.
        for key in options["session_ids"]:
            for target in found:
                works[key if len(found) == 1 else f"{key} {target.name}"] = (target, key)
    else:
        for target in found:
            key = newest(sessions_of(context, target))
            if key and key not in works:
                works[key] = (target, key)
    if not works:
        return Verdict("session", SKIP, "there is no session to look at")

    def look(name: str, target: Target, key: str) -> Verdict:
        path = f"{prefix}/sessions/{quote(key, safe='')}"
        detail = judge_detail(context, key, context.client.get(path, parameters=dict(target.parameters)))
        if detail.state not in (PASS, WARN):
            return combine(name, [detail])
        answer = context.client.get(
            f"{path}/history",
            parameters=dict(target.parameters),
            timeout=max(HISTORY_TIMEOUT, context.client.timeout),
        )
        body = context.json(answer)
        history = body.get("history") if isinstance(body, dict) else body
        messages = judge_history(history, context.clock.now(), options)
        return combine(name, [detail, messages], messages.summary)

    verdicts = context.parts(
        [
            (name, partial(ask_gateway, context, target, partial(look, name, target, key)))
            for name, (target, key) in works.items()
        ]
    )
    if options["session_ids"] and len(found) > 1:
        verdicts = _best_board(options["session_ids"], verdicts)
    return combine("session", verdicts)


def _best_board(keys: Sequence[str], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Of each session the verdict of the board that knows it."""
    best = []
    for key in keys:
        mine = [verdict for verdict in verdicts if verdict.name.startswith(f"{key} ")]
        known = [verdict for verdict in mine if verdict.kind != "session_unknown"]
        best.append((known or mine)[0])
        best[-1].name = key
    return best
