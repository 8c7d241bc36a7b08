# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Redis takes work: what it answers to a write that changes nothing, and why, by its state."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from .._application.components import PORTS
from .._cures import DECISION, WAITING, Cure
from .._host.reachable import is_this_host
from .._times.amounts import size
from .redis import RedisError
from .verdict import FAIL, PASS, SKIP, WARN, Verdict

# Where the role redis keeps the password that it made.
PASSWORD_FILE = "/var/lib/mission-control/redis-password"  # noqa: S105
_OWN = (
    "Where it is to be the queue's own Redis: {cli} replicaof no one; then, as the worker waits before it "
    "tries again: mission-control restart worker. Remove replicaof from /etc/redis/redis.conf if it stands "
    "there. Else name the primary in mission_control_redis_url and deploy."
)


class Refusal(NamedTuple):
    """Why Redis refuses a write, by the first word of its answer."""

    kind: str
    cause: str
    remedy: str
    cure: Cure = DECISION


# Braces: cli, used, limit, policy, master, link.
REFUSALS: Mapping[str, Refusal] = {
    "OOM": Refusal(
        kind="redis_full",
        cause="Redis has reached its maxmemory ({used} of {limit}, policy {policy}) and refuses every new "
        "piece of work.",
        remedy="Give it more: {cli} config set maxmemory 0; for good, set maxmemory in "
        "/etc/redis/redis.conf. What fills it says {cli} --bigkeys.",
    ),
    "READONLY": Refusal(
        kind="redis_replica",
        cause="Redis is a replica of {master} (link {link}) and takes no writes: nobody can put work into "
        "the queue or take it out.",
        remedy=_OWN,
    ),
    "MISCONF": Refusal(
        kind="redis_disk",
        cause="Redis cannot save its data to disk (full, or not its own), and refuses writes until it can.",
        remedy="Make room where it keeps its data ({cli} config get dir; df -h), and see that the directory "
        "belongs to redis: chown redis:redis /var/lib/redis; then: {cli} bgsave; then: mission-control "
        "restart worker. Its log says more: journalctl -u redis-server.",
    ),
    "NOREPLICAS": Refusal(
        kind="redis_replicas_missing",
        cause="Redis is set to write only while replicas follow it (min-replicas-to-write), and too few do.",
        remedy="Start the replicas, or: {cli} config set min-replicas-to-write 0.",
    ),
    "NOPERM": Refusal(
        kind="redis_rights",
        cause="The user of RQ_REDIS_URL may look at the queue and not write to it: a right (ACL) was taken "
        "away.",
        remedy="See its rights: {cli} acl list. A restart brings back those of the settings: systemctl "
        "restart redis-server. Those of a file of users (aclfile in /etc/redis/redis.conf) are corrected "
        "there.",
    ),
    "WRONGTYPE": Refusal(
        kind="queue_garbled",
        cause="Under the name of the delayed work something else is stored: another program uses the same "
        "Redis, or somebody wrote there by hand.",
        remedy="See what it is and put it aside ({cli} rename); RQ_QUEUE_NAME has to belong to Mission "
        "Control alone.",
    ),
    "LOADING": Refusal(
        kind="redis_starting",
        cause="Redis has just been started and still reads its data.",
        remedy="Wait (deadline); a large file takes minutes. Its log says how far it is: "
        "journalctl -u redis-server.",
        cure=WAITING,
    ),
    "MASTERDOWN": Refusal(
        kind="redis_replica",
        cause="Redis is a replica of {master} (link {link}), which it does not reach.",
        remedy=_OWN,
    ),
}
UNKNOWN = Refusal(
    kind="redis_refuses",
    cause="Redis answers, and refuses to be written. Neither its memory nor its role is the reason.",
    remedy="The answer is in the evidence. See its state ({cli} info) and its log: "
    "journalctl -u redis-server.",
)


def trial(queue: str) -> tuple[str, ...]:
    """A write that Redis accepts or refuses like any other, and that changes nothing.

    It sets the time of an entry that is not there, in the list of delayed work, which the application itself
    writes; with XX nothing is added.
    """
    return ("ZADD", f"{queue}:scheduled", "XX", "0", "mission-control-verify")


def _number(state: Mapping[str, str], name: str) -> int:
    text = state.get(name, "")
    return int(text) if text.isdigit() else 0


def cli_of(url: str) -> str:
    """redis-cli as root calls it for an address; the password of our own server is in a file of root's."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        secret = f"REDISCLI_AUTH=$(cat {PASSWORD_FILE}) " if parts.password else ""
        return f"{secret}redis-cli -s {shlex.quote(parts.path)}"
    host, port = parts.hostname or "localhost", parts.port or PORTS["redis"]
    place = "" if is_this_host(url) else f" -h {shlex.quote(host)}"
    place += "" if port == PORTS["redis"] else f" -p {port}"
    authority = dict(parse_qsl(parts.query)).get("ssl_ca_certs")
    trusted = f" --cacert {shlex.quote(authority)}" if authority else ""
    tls = f" --tls{trusted}" if parts.scheme == "rediss" else ""
    secret = f"REDISCLI_AUTH=$(cat {PASSWORD_FILE}) " if parts.password and is_this_host(url) else ""
    return f"{secret}redis-cli{place}{tls}"


def judge_writes(answer: Any, state: Mapping[str, str], cli: str) -> Verdict:
    """What the answer to the trial means.

    :param answer: of Redis: a number, or the error.
    :param state: of INFO; empty where Redis does not tell it.
    :param cli: how redis-cli is called for it.
    """
    master = f"{state.get('master_host', 'another server')} port {state.get('master_port', '?')}"
    evidence: dict[str, Any] = {
        "role": state.get("role", ""),
        "used": _number(state, "used_memory"),
        "maxmemory": _number(state, "maxmemory"),
        "policy": state.get("maxmemory_policy", ""),
    }
    if not isinstance(answer, RedisError):
        if state.get("role") == "slave":
            return Verdict(
                "writes",
                FAIL,
                f"Redis is a replica of {master} and forgets what is written to it",
                cause="It takes writes (replica-read-only no), and throws them away with the next copy that "
                "it gets of the server that it follows.",
                remedy=_OWN.format(cli=cli),
                kind="redis_replica",
                evidence=evidence,
            )
        return Verdict("writes", summary="Redis takes work", evidence=evidence)
    text = str(answer)
    if answer.kind == "auth":
        return Verdict("writes", SKIP, f"not tried: {text}", evidence=evidence)
    found = REFUSALS.get(text.partition(" ")[0], UNKNOWN)
    words = {
        "used": size(evidence["used"]),
        "limit": size(evidence["maxmemory"]),
        "policy": evidence["policy"] or "unknown",
        "master": master,
        "link": state.get("master_link_status", "unknown"),
    }
    return Verdict(
        "writes",
        FAIL,
        f"Redis refuses writes: {text}",
        cause=found.cause.format(**words),
        remedy=found.remedy.format(cli=cli),
        kind=found.kind,
        cure=found.cure,
        evidence={**evidence, "error": text},
    )


def judge_memory(state: Mapping[str, str], refused: bool) -> Verdict:
    """Whether Redis would throw work away when its memory is full, or will soon refuse it.

    :param refused: it refuses writes already, which is told elsewhere.
    """
    limit, policy = _number(state, "maxmemory"), state.get("maxmemory_policy", "")
    # What replicas and the log of writes wait for does not count for Redis either.
    used = _number(state, "used_memory") - _number(state, "mem_not_counted_for_evict")
    evidence = {"maxmemory": limit, "policy": policy, "used": used}
    if limit and policy and policy != "noeviction":
        return Verdict(
            "memory",
            WARN,
            f"Redis may drop work: maxmemory-policy is {policy}",
            cause="When its memory is full, Redis throws keys away, the queue among them.",
            remedy="Set maxmemory-policy noeviction (role redis does).",
            kind="redis_eviction",
            evidence=evidence,
        )
    if limit and used > 0.9 * limit and not refused:
        return Verdict(
            "memory",
            WARN,
            f"Redis uses {used / limit * 100:.0f} % of its memory",
            cause="Soon it will refuse to take new work.",
            remedy="Raise maxmemory, or see what fills it.",
            kind="redis_memory",
            evidence=evidence,
        )
    return Verdict("memory", PASS, "no work is thrown away", evidence=evidence)
