# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of each gateway: how many, how long idle, and whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..._times.amounts import brief
from ..._times.timestamps import timestamp
from ..asking_root import AskingRoot
from ..http_context import HttpContext, OverHttp
from ..thresholds import judge
from ..verdict import FAIL, PASS, WARN, Measure, Verdict, combine, worst
from . import api
from .gateway_sessions import is_main, sessions_of
from .gateway_targets import Target, nothing_bound, targets


def _listed(items: Sequence[str], most: int = 5) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def rows(body: Mapping[str, Any], agents: Sequence[Mapping[str, Any]], now: float) -> list[dict[str, Any]]:
    """Key, label, agent and last activity of each session."""
    owners = {str(agent.get("openclaw_session_id")): str(agent.get("name")) for agent in agents}
    found = []
    for session in body["sessions"]:
        if not isinstance(session, Mapping):
            continue
        last = timestamp(session.get("updatedAt"))
        found.append(
            {
                "key": str(session.get("key") or ""),
                "label": str(session.get("label") or session.get("displayName") or ""),
                "agent": owners.get(str(session.get("key")), ""),
                "idle_seconds": round(now - last) if last is not None else None,
                "main": is_main(session, body),
            }
        )
    return found


def judge_count(sessions: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Verdict:
    """Number of sessions."""
    warn, crit = options["count_warning"], options["count_critical"]
    verdict = Verdict("count", judge(len(sessions), warn, crit), f"{len(sessions)} sessions")
    verdict.measures = [Measure("sessions", float(len(sessions)), "", warn, crit)]
    verdict.evidence = {"sessions": list(sessions)[:200]}
    if verdict.state != PASS:
        verdict.kind = "session_count"
        verdict.summary += ", which is outside of the expected range"
        verdict.cause = "Agents have no session, or more sessions were opened than expected."
        verdict.remedy = "Start the agents from the user interface; adjust count_warning and count_critical."
    return verdict


def judge_keys(sessions: Sequence[Mapping[str, Any]]) -> Verdict:
    """Each session has a key of its own."""
    keys = [session["key"] for session in sessions]
    double = sorted(key for key, count in Counter(keys).items() if count > 1)
    if "" in keys or double:
        return Verdict(
            "keys",
            FAIL,
            "sessions without a key" if "" in keys else f"the same key twice: {_listed(double)}",
            cause="The gateway hands out sessions that cannot be told apart.",
            remedy="Restart the gateway; if it stays so, see whether its version fits the backend.",
            kind="session_keys",
        )
    bare = [session["key"] for session in sessions if not session["label"]]
    return Verdict("keys", summary=f"{len(keys)} keys" + (f", {len(bare)} without a label" if bare else ""))


def judge_idle(sessions: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Verdict:
    """Last activity, leaving out the main session, which every status call touches."""
    warn, crit = options["idle_warning"], options["idle_critical"]
    found = []
    ages = []
    for session in sessions:
        age = session["idle_seconds"]
        if session["main"] or age is None:
            continue
        ages.append(age)
        state = judge(max(0, age), warn, crit)
        if state != PASS:
            found.append((age, f"{session['label'] or session['key']} ({brief(age)})", state))
    if not found:
        text = f"last activity {brief(max(0, min(ages)))} ago" if ages else "no session but the main one"
        return Verdict("idle", summary=text)
    found.sort(reverse=True)
    return Verdict(
        "idle",
        worst(state for _age, _name, state in found),
        f"{len(found)} sessions are idle for long: {_listed([name for _age, name, _state in found])}",
        cause="The agents of these sessions do nothing: they wait for input, hang, or lost their language "
        "model.",
        remedy="Look at the history of these sessions and at their agents; adjust idle_warning and "
        "idle_critical.",
        kind="session_idle",
        evidence={"idle": [name for _age, name, _state in found][:50]},
    )


def judge_agents(
    sessions: Sequence[Mapping[str, Any]], agents: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> Verdict:
    """Agents without a session, sessions without an agent."""
    keys = {session["key"] for session in sessions}
    lost = [
        str(agent.get("name"))
        for agent in agents
        if agent.get("status") == "online" and str(agent.get("openclaw_session_id") or "") not in keys
    ]
    free = [session["label"] or session["key"] for session in sessions if not session["agent"]]
    evidence = {"agents_without_session": lost[:50], "sessions_without_agent": free[:50]}
    states = {"ignore": PASS, "warn": WARN, "fail": FAIL}
    if lost and states[options["agents_without_session"]] != PASS:
        return Verdict(
            "agents",
            states[options["agents_without_session"]],
            f"{len(lost)} online agents have no session: {_listed(lost)}",
            cause="The gateway was reset or replaced, so that it no longer knows the sessions of these "
            "agents.",
            remedy="Provision the agents again from the user interface.",
            kind="session_agents",
            evidence=evidence,
        )
    if free and states[options["sessions_without_agent"]] != PASS:
        return Verdict(
            "agents",
            states[options["sessions_without_agent"]],
            f"{len(free)} sessions belong to no agent: {_listed(free)}",
            cause="These sessions were made by hand, or their agents were deleted.",
            remedy="Delete these sessions on the gateway, or set sessions_without_agent to ignore.",
            kind="session_agents",
            evidence=evidence,
        )
    owned = len(sessions) - len(free)
    return Verdict(
        "agents", summary=f"{owned} of {len(sessions)} sessions belong to agents", evidence=evidence
    )


def judge_expected(sessions: Sequence[Mapping[str, Any]], expected: Sequence[str]) -> Verdict:
    """Sessions that must be there."""
    known = {session["key"] for session in sessions} | {session["label"] for session in sessions}
    missing = [key for key in expected if key not in known]
    if missing:
        return Verdict(
            "expected",
            FAIL,
            f"missing: {_listed(missing)}",
            cause="These sessions were reset or deleted on the gateway, or never made.",
            remedy="Start their agents from the user interface, or correct verify_sessions: "
            "{expected: [...]}.",
            kind="session_missing",
            evidence={"missing": missing},
        )
    return Verdict("expected", summary=f"{len(expected)} expected sessions are there")


def belongs(agent: Mapping[str, Any], target: Target) -> bool:
    """Whether an agent's session is to be found at that gateway."""
    if not target.board_id:
        return True
    if target.gateway_id and agent.get("gateway_id") and not agent.get("board_id"):
        return str(agent["gateway_id"]) == target.gateway_id
    return str(agent.get("board_id")) == target.board_id


@AskingRoot
@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """One part for each gateway."""
    found = targets(context, options)
    if not found:
        raise nothing_bound()

    def judge_target(target: Target) -> Verdict:
        body = sessions_of(context, target)
        agents = [agent for agent in api.agents(context) if belongs(agent, target)]
        sessions = rows(body, agents, context.clock.now())
        parts = [
            judge_keys(sessions),
            judge_count(sessions, options),
            judge_idle(sessions, options),
            judge_agents(sessions, agents, options),
        ]
        if options["expected"]:
            parts.append(judge_expected(sessions, options["expected"]))
        return combine(target.name, parts, f"{len(sessions)} sessions, {parts[2].summary}")

    return context.each("sessions", [(target.name, partial(judge_target, target)) for target in found])
