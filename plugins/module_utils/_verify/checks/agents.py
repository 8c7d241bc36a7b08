# SPDX-License-Identifier: GPL-3.0-or-later
"""The agents: all pages, counted by status; those that are silent, stuck or missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..._times.amounts import brief
from ..._times.timestamps import timestamp
from ..context import Problem
from ..http_context import HttpContext, OverHttp
from ..thresholds import judge
from ..verdict import FAIL, PASS, Measure, Verdict, worst
from . import api

CHANGING = ("provisioning", "updating", "deleting")


def name_of(agent: Mapping[str, Any]) -> str:
    """An agent for people."""
    return str(agent.get("name") or agent.get("id") or "?")


def _listed(items: Sequence[str], most: int = 5) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def judge_status(agents: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Verdict:
    """How many there are, and of which status."""
    counts = Counter(str(agent.get("status") or "unknown") for agent in agents)
    text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none"
    verdict = Verdict("status", PASS, f"{len(agents)} agents: {text}", evidence={"by_status": dict(counts)})
    verdict.measures = [
        Measure("agents", float(len(agents)), "", options["count_warning"], options["count_critical"]),
        *(Measure(f"agents {status}", float(count)) for status, count in sorted(counts.items())),
    ]
    count_state = judge(len(agents), options["count_warning"], options["count_critical"])
    offline = counts.get("offline", 0)
    offline_state = judge(offline, options["offline_warning"], options["offline_critical"])
    verdict.state = worst([count_state, offline_state])
    if count_state != PASS:
        verdict.kind = "agents_count"
        verdict.summary = f"{len(agents)} agents, which is outside of the expected range"
        verdict.cause = "Agents are missing, or more were made than expected."
        verdict.remedy = "Look at the agents in the user interface; adjust count_warning and count_critical."
    elif offline_state != PASS:
        silent = [name_of(agent) for agent in agents if agent.get("status") == "offline"]
        verdict.kind = "agents_offline"
        verdict.summary = f"{offline} agents are offline: {_listed(silent)}"
        verdict.cause = "The agents' processes do not report any more, or their gateway is not reached."
        verdict.remedy = "Check that the gateway is connected (gateway check), then restart the agents."
    return verdict


def judge_stale(agents: Sequence[Mapping[str, Any]], now: float, options: Mapping[str, Any]) -> Verdict:
    """Those that were seen, but not lately."""
    warn, crit = options["stale_warning"], options["stale_critical"]
    found: list[tuple[float, str, str]] = []
    seen = 0
    for agent in agents:
        last = timestamp(agent.get("last_seen_at"))
        if last is None or agent.get("status") in CHANGING:
            continue
        seen += 1
        state = judge(max(0.0, now - last), warn, crit)
        if state != PASS:
            found.append((now - last, name_of(agent), state))
    if not found:
        return Verdict(
            "stale", summary=f"{seen} agents were seen lately" if seen else "no agent has reported yet"
        )
    found.sort(reverse=True)
    names = [f"{name} ({brief(age)})" for age, name, _state in found]
    return Verdict(
        "stale",
        worst(state for _age, _name, state in found),
        f"{len(found)} agents have not been seen for long: {_listed(names)}",
        cause="The agents do not send their heartbeat: they hang, were stopped, or their gateway is not "
        "reached.",
        remedy="Check that the gateway is connected (gateway check) and restart these agents from the user "
        "interface.",
        kind="agents_stale",
        evidence={"agents": names[:50], "count": len(found)},
    )


def judge_stuck(agents: Sequence[Mapping[str, Any]], now: float, options: Mapping[str, Any]) -> Verdict:
    """Those that have been provisioned, updated or deleted for too long."""
    warn, crit = options["provisioning_warning"], options["provisioning_critical"]
    found: list[tuple[float, str, str]] = []
    changing = [agent for agent in agents if agent.get("status") in CHANGING]
    for agent in changing:
        since = timestamp(agent.get("updated_at")) or timestamp(agent.get("created_at"))
        age = max(0.0, now - since) if since is not None else 0.0
        state = judge(age, warn, crit)
        if state != PASS:
            found.append((age, f"{name_of(agent)} ({agent.get('status')} for {brief(age)})", state))
    if not found:
        text = (
            f"{len(changing)} agents are being provisioned"
            if changing
            else "no agent waits to be provisioned"
        )
        return Verdict("provisioning", summary=text)
    found.sort(reverse=True)
    names = [name for _age, name, _state in found]
    return Verdict(
        "provisioning",
        worst(state for _age, _name, state in found),
        f"{len(found)} agents are stuck: {_listed(names)}",
        cause="Provisioning did not come to its end: the gateway was not reached, the worker did not take "
        "the task, or the agent never called back (it has no language model, or cannot reach BASE_URL).",
        remedy="Check gateway and queue; check that the gateway's host reaches mission_control_api_url; then "
        "provision the agent again from the user interface.",
        kind="agents_stuck",
        evidence={"agents": names[:50], "count": len(found)},
    )


def judge_expected(agents: Sequence[Mapping[str, Any]], expected: Sequence[str]) -> Verdict:
    """Those that must be there."""
    missing = sorted(set(expected) - {name_of(agent) for agent in agents})
    if missing:
        return Verdict(
            "expected",
            FAIL,
            f"missing: {_listed(missing)}",
            cause="These agents were deleted, renamed, or never made.",
            remedy="Make them in the user interface, or correct verify_agents: {expected: [...]}.",
            kind="agents_missing",
            evidence={"missing": missing},
        )
    return Verdict("expected", summary=f"{len(expected)} expected agents are there")


@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """Read all pages once, judge from several sides."""
    agents = api.agents(context)
    for agent in agents:
        if not isinstance(agent, dict) or "status" not in agent:
            raise Problem(
                "unexpected_shape",
                "an agent has no status",
                cause="The backend is of a version whose answers have another shape.",
                remedy="Compare mission_control_revision with the versions that this collection supports.",
            )
    now = context.clock.now()
    works = [
        ("status", lambda: judge_status(agents, options)),
        ("stale", lambda: judge_stale(agents, now, options)),
        ("provisioning", lambda: judge_stuck(agents, now, options)),
    ]
    if options["expected"]:
        works.append(("expected", lambda: judge_expected(agents, options["expected"])))
    verdict = context.each("agents", works)
    if verdict.state == PASS:
        verdict.summary = verdict.checks[0].summary
    return verdict
