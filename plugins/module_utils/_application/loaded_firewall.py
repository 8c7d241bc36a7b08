# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel has of our table, which only root sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._host import netfilter
from .._host.commands import Runner, run
from .._host.errors import HostError
from .._host.networks import Network, network, written
from .._host.root_questions import answered_by_root
from .._plain_json import parse_json

FAMILY, TABLE = "inet", "mission_control"
# By its path: who is asked is root.
_LIST = ("/usr/sbin/nft", "--json", "--numeric", "list", "table", FAMILY, TABLE)
_SOURCES = {"ip saddr", "ip6 saddr"}
ABSENT, OTHER, LOADED = "absent", "other", "loaded"


def look(run: Runner = run) -> dict[str, Any]:
    """Whether it is there (`state`) and what it comes to (`ports`), or why nobody can tell (`refusal`)."""
    if why := netfilter.ask():
        return {"state": ABSENT, "ports": [], "refusal": why}
    try:
        done = run(_LIST, timeout=20)
        found = read(parse_json(done.stdout)) if done.ok else []
    except HostError as error:
        # Where nft is not installed, nobody has loaded anything with it.
        why = "" if error.kind == "no_such_command" else error.message
        return {"state": ABSENT, "ports": [], "refusal": why}
    except ValueError:
        return {"state": OTHER, "ports": [], "refusal": ""}
    state = ABSENT if not done.ok else OTHER if found is None else LOADED
    return {"state": state, "ports": found or [], "refusal": ""}


@answered_by_root
def loaded() -> dict[str, Any]:
    """See look."""
    return look()


def read(listing: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """What the kernel's table comes to, as guarded has it; None where it holds something else than ours does.

    :param listing: what `nft --json list table` prints.
    """
    parts = [part for part in listing.get("nftables", ()) if isinstance(part, Mapping)]
    tables = [part["table"] for part in parts if "table" in part]
    chains = [part["chain"] for part in parts if "chain" in part]
    if len(tables) != 1 or tables[0].get("flags") or len(chains) != 1:
        return None
    hook = {name: chains[0].get(name) for name in ("type", "hook", "policy")}
    if hook != {"type": "filter", "hook": "input", "policy": "accept"}:
        return None
    sources: dict[int, list[Network]] = {}
    closed: dict[int, tuple[str, ...]] = {}
    for number, rule in enumerate(part["rule"] for part in parts if "rule" in part):
        matches, verdict = _rule(rule.get("expr") or ())
        port = matches.pop("tcp dport", None)
        if number == 0:
            if (port, matches, verdict) != (None, {"meta iif": "lo"}, "accept"):
                return None
        elif not isinstance(port, int) or port in closed:
            return None
        elif (matches, verdict) == ({}, "drop"):
            closed[port] = written(sources.pop(port, ()))
        elif verdict == "accept" and None not in matches.values() and set(matches) <= _SOURCES and matches:
            sources.setdefault(port, []).extend(matches.values())
        else:
            return None
    if sources:
        return None
    return [{"port": port, "sources": list(closed[port])} for port in sorted(closed)]


def _rule(expressions: Iterable[Any]) -> tuple[dict[str, Any], str]:
    """What a rule asks for, and what becomes of what fits; a verdict of "?" where it says more than ours."""
    matches: dict[str, Any] = {}
    verdict = ""
    for expression in expressions:
        (kind, said), *more = expression.items()
        if more or verdict:
            return matches, "?"
        if kind == "match" and said.get("op") == "==":
            name, value = _match(said)
            matches[name] = value
        elif kind in ("accept", "drop"):
            verdict = kind
        else:
            return matches, "?"
    return matches, verdict


def _match(said: Mapping[str, Any]) -> tuple[str, Any]:
    left, right = said.get("left"), said.get("right")
    payload = left.get("payload") if isinstance(left, Mapping) else None
    if isinstance(payload, Mapping):
        name = f"{payload.get('protocol')} {payload.get('field')}"
        return (name, _source(right)) if name.endswith(" saddr") else (name, right)
    meta = left.get("meta") if isinstance(left, Mapping) else None
    return (f"meta {meta.get('key')}" if isinstance(meta, Mapping) else "?"), right


def _source(right: Any) -> Network | None:
    prefix = right.get("prefix") if isinstance(right, Mapping) else None
    text = f"{prefix.get('addr')}/{prefix.get('len')}" if isinstance(prefix, Mapping) else right
    try:
        return network(text)
    except ValueError:
        return None
