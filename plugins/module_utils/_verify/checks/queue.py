# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue: Redis answers, a worker waits, nothing lies there for too long."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ..._application.components import service_unit
from ..._cures import DECISION, DEPLOYMENT, START_REDIS, TYPED, Cure, start
from ..._plain_json import parse_json
from ..._times.amounts import brief
from ..._times.timestamps import timestamp
from ..certificates import judge_certificate
from ..context import Context, Problem
from ..redis import SERVERS, Redis, RedisError, state_of
from ..redis_users import read_users, shown
from ..redis_writes import cli_of, judge_memory, judge_writes, trial
from ..stray_workers import judge_strays
from ..thresholds import judge
from ..verdict import ERROR, FAIL, PASS, SKIP, WARN, Measure, Verdict, combine
from ..waiting import Clock

POPPING = ("brpop", "blpop", "blmove", "brpoplpush", "bzpopmin")
# What a worker says last before it rests for some seconds: it put a task back, or looked for what is due. The
# backend says the same on connections that end at once, and people on such that are silent for long.
BETWEEN = ("lpush", "zadd", "zrem", "zrange", "zrangebyscore")
LASTING, RESTS = 2, 5
# A worker looks at delayed work between two waits: look again before saying that there is none.
LOOKS = 5
LOOK_PAUSE = 0.15


class Reason(NamedTuple):
    """Why Redis is of no use."""

    kind: str
    cause: str
    remedy: str
    cure: Cure = DECISION


# By the kind of the error. Braces: place, host, port, cli, name and key of the queue.
REASONS: dict[str, Reason] = {
    "refused": Reason(
        kind="redis_down",
        cause="Redis does not answer at {place}: it is stopped, or bound to another address.",
        remedy="systemctl start redis-server; if it does not stay up: journalctl -u redis-server.",
        cure=START_REDIS,
    ),
    "no_socket": Reason(
        kind="redis_socket",
        cause="Redis runs, and the file of its socket {place} is gone: something that cleans up has removed "
        "it. Who is connected stays so; nobody else gets in.",
        remedy="systemctl restart redis-server",
        cure=TYPED,
    ),
    "stranger": Reason(
        kind="redis_stranger",
        cause="Another user has taken {place} while Redis was down, and would have been told the "
        "password; it was not sent.",
        remedy="See who it is and end it: ss -ltnp 'sport = :{port}'; then systemctl restart redis-server, "
        "and change what others may have told it: playbooks/rotate.yml -e secret=redis. Another account "
        "that is to serve there is named in trusted_users.",
    ),
    "closed": Reason(
        kind="redis_down",
        cause="Redis closed the connection: it is stopping, or out of connections.",
        remedy="Look at its journal: journalctl -u redis-server.",
    ),
    "dns": Reason(
        kind="redis_dns",
        cause="The name {host} cannot be resolved.",
        remedy="Correct the host in mission_control_redis_url.",
    ),
    "timeout": Reason(
        kind="redis_timeout",
        cause="Redis at {place} takes connections but does not answer, or a firewall drops them.",
        remedy="Check whether the process hangs (systemctl status redis-server) and check the firewall.",
    ),
    "auth": Reason(
        kind="redis_login",
        cause="Redis refuses the password in RQ_REDIS_URL, or asks for one.",
        remedy="Deploy again (role redis and .env get the same password), or correct "
        "mission_control_redis_url.",
        cure=DEPLOYMENT,
    ),
    "tls": Reason(
        kind="redis_tls",
        cause="TLS with Redis fails: its certificate has expired, is another authority's, or names another "
        "host; or what answers there speaks no TLS.",
        remedy="Deploy again (role redis renews its certificate and hands over the authority's), or correct "
        "certificate or scheme (redis, rediss) of mission_control_redis_url.",
        cure=DEPLOYMENT,
    ),
    "rights": Reason(
        kind="redis_rights",
        cause="The user of RQ_REDIS_URL may log in, and its rights (ACL) were taken away.",
        remedy="See them: {cli} acl list. A restart brings back those of the settings: systemctl restart "
        "redis-server. Those of a file of users (aclfile in /etc/redis/redis.conf) are corrected there.",
    ),
    "busy": Reason(
        kind="redis_busy",
        cause="A script runs in Redis and does not end; until then it answers nobody.",
        remedy="End it: {cli} script kill; where it has written already, that is refused and Redis has to be "
        "restarted: systemctl restart redis-server",
    ),
    "clients": Reason(
        kind="redis_clients",
        cause="Redis has as many connections as it may have (maxclients), and takes no other.",
        remedy="End those that nobody needs: systemctl restart redis-server ends them all. Where as many are "
        "needed, raise maxclients in /etc/redis/redis.conf.",
    ),
    "type": Reason(
        kind="queue_garbled",
        cause="Under the name of the queue, {name}, something else is stored than a queue: another program "
        "uses the same Redis, or somebody wrote there by hand.",
        remedy="Put it aside: {cli} rename {key} {key}-aside; then, as the worker waits before it tries "
        "again: mission-control restart worker. See that RQ_QUEUE_NAME belongs to Mission Control alone.",
    ),
    "protocol": Reason(
        kind="redis_protocol",
        cause="What listens at {place} is not Redis.",
        remedy="Correct the port in mission_control_redis_url.",
    ),
    "bad_url": Reason(
        kind="bad_option",
        cause="RQ_REDIS_URL is not a valid Redis address.",
        remedy="Give an address of the form redis://[:password@]host:6379/0 in mission_control_redis_url.",
    ),
}
UNKNOWN = Reason(
    kind="redis_failed",
    cause="Redis refuses a command.",
    remedy="Look at the error and at the user's rights (ACL).",
)


def connection_problem(error: RedisError, url: str, name: str = "default", key: str = "") -> Problem:
    """Why Redis is of no use.

    :param name: of the queue.
    :param key: where of what belongs to the queue the error is.
    """
    parts = urlsplit(url)
    words = {"host": parts.hostname or "localhost", "port": parts.port or 6379}
    local = parts.scheme == "unix"
    place = f"the socket {parts.path}" if local else f"{words['host']} port {words['port']}"
    found = REASONS.get(error.kind, UNKNOWN)
    typed = {"cli": cli_of(url), "key": shlex.quote(key or name)}
    return Problem(
        found.kind,
        str(error),
        cause=found.cause.format(**words, place=place, name=name),
        remedy=found.remedy.format(**words, **typed, place=place, name=name),
        cure=found.cure.filled(words),
        evidence={**words, **({"socket": parts.path} if local else {}), "error": str(error)},
    )


def parse_clients(text: str) -> list[dict[str, str]]:
    """The lines of CLIENT LIST."""
    return [
        dict(pair.partition("=")[::2] for pair in line.split(" ") if "=" in pair)
        for line in text.split("\n")
        if line.strip()
    ]


def workers(clients: Sequence[Mapping[str, str]]) -> tuple[list[Mapping[str, str]], list[Mapping[str, str]]]:
    """The clients that wait for work, and those that took some and are silent since."""
    waiting = [client for client in clients if "b" in client.get("flags", "")]
    busy = [client for client in clients if client not in waiting and _works(client)]
    return waiting, busy


def _works(client: Mapping[str, str]) -> bool:
    command = client.get("cmd", "").split("|")[0]
    age, idle = int(client.get("age") or 0), int(client.get("idle") or 0)
    return command in POPPING or (command in BETWEEN and age >= LASTING and idle <= RESTS)


def judge_workers(clients: Sequence[Mapping[str, str]], options: Mapping[str, Any]) -> Verdict:
    """Whether enough workers are there, and none of them hangs."""
    waiting, busy = workers(clients)
    evidence = {
        "waiting": len(waiting),
        "busy": [{"idle_seconds": int(client.get("idle") or 0), "cmd": client.get("cmd")} for client in busy],
    }
    hung = [client for client in busy if int(client.get("idle") or 0) > options["hung_after"]]
    alive = len(waiting) + len(busy) - len(hung)
    record = f"{len(waiting)} worker{'' if len(waiting) == 1 else 's'} waiting, {len(busy)} busy"
    verdict = Verdict("workers", PASS, record, evidence=evidence)
    verdict.measures = [Measure("workers", float(alive), "", "", f"{options['workers_minimum']}:")]
    if alive >= options["workers_minimum"]:
        return verdict
    verdict.state = FAIL
    if hung:
        longest = max(int(client.get("idle") or 0) for client in hung)
        verdict.kind = "worker_hung"
        verdict.summary = f"the worker is connected, but has not asked for work for {brief(longest)}"
        verdict.cause = (
            "The worker hangs (stopped by a signal, or stuck in a task) although its unit is active."
        )
        verdict.remedy = (
            "Restart mission-control-worker; a task that really takes longer needs a larger hung_after."
        )
    else:
        verdict.kind = "no_worker"
        verdict.summary = f"{alive} workers, expected were {options['workers_minimum']}"
        verdict.cause = (
            "No worker waits at the queue: its unit is down, or it uses another Redis or queue name."
        )
        verdict.remedy = (
            "Start mission-control-worker; compare RQ_REDIS_URL and RQ_QUEUE_NAME of backend and worker."
        )
        verdict.cure = start(service_unit("worker"))
    return verdict


def judge_depth(depth: int, options: Mapping[str, Any]) -> Verdict:
    """How much lies in the queue."""
    warn, crit = options["depth_warning"], options["depth_critical"]
    verdict = Verdict("depth", judge(depth, warn, crit), f"{depth} entries wait")
    verdict.measures = [Measure("queue depth", float(depth), "", warn, crit)]
    if verdict.state != PASS:
        verdict.kind = "queue_deep"
        verdict.cause = "More work comes in than the workers do, or no worker takes it."
        verdict.remedy = "Check that the worker runs (service and workers); add workers if it does."
    return verdict


def _attempts(data: Mapping[str, Any]) -> int:
    """How often it was tried; of what cannot be, as a number below nothing, it is tried for ever."""
    found = data.get("attempts")
    return found if isinstance(found, int) else 0


def _failing(task: Any, attempts: int, age: float, options: Mapping[str, Any], aside: str) -> Verdict:
    """Work that was taken and put back: it keeps its date, so that its age says nothing of the worker."""
    endless = attempts < 0
    verdict = Verdict(
        "oldest",
        FAIL if endless else judge(age, options["age_warning"], options["age_critical"]),
        f"the task {task} failed and waits to be tried again, {brief(age)} after it was made",
        evidence={"task_type": task, "attempts": attempts},
    )
    verdict.measures = [Measure("oldest entry", 0.0, "s", options["age_warning"], options["age_critical"])]
    if verdict.state != PASS:
        verdict.kind = "task_fails"
        verdict.cause = (
            "The worker takes this task, fails at it and puts it back: what it is about is gone or wrong, or "
            "something that it needs is down."
            + (" Its number of attempts is below 0, so that this never ends." if endless else "")
        )
        verdict.remedy = (
            "See what it fails with: mission-control logs worker. Put aside what cannot be done any more: "
            f"mission-control stop worker && {aside} && mission-control start worker"
        )
    return verdict


def judge_oldest(entry: str | None, now: float, options: Mapping[str, Any], aside: str) -> Verdict:
    """How long the oldest entry has been there.

    :param aside: the command that puts it aside.
    """
    if entry is None:
        return Verdict("oldest", summary="the queue is empty")
    try:
        data = parse_json(entry)
        created = timestamp(data.get("created_at")) if isinstance(data, dict) else None
    except ValueError:
        created = None
        data = None
    if created is None:
        return Verdict(
            "oldest",
            WARN,
            "the oldest entry cannot be read",
            cause="Another program writes to this queue, or the backend is of another version.",
            remedy="Check that RQ_QUEUE_NAME belongs to Mission Control alone.",
            kind="queue_foreign",
        )
    age = max(0.0, now - created)
    if attempts := _attempts(data):
        return _failing(data.get("task_type"), attempts, age, options, aside)
    warn, crit = options["age_warning"], options["age_critical"]
    verdict = Verdict("oldest", judge(age, warn, crit), f"the oldest entry is {brief(age)} old")
    verdict.measures = [Measure("oldest entry", round(age, 1), "s", warn, crit)]
    verdict.evidence = {"task_type": data.get("task_type"), "attempts": data.get("attempts")}
    if verdict.state != PASS:
        verdict.kind = "queue_old"
        verdict.cause = "Work is not taken from the queue: the worker is down, hangs, or is too slow."
        verdict.remedy = "Check that the worker runs (service and workers), look at its journal, restart it."
    return verdict


def judge_overdue(overdue: int, oldest: float | None, now: float, options: Mapping[str, Any]) -> Verdict:
    """Delayed work whose time has come."""
    late = max(0.0, now - oldest) if overdue and oldest is not None else 0.0
    warn, crit = options["overdue_warning"], options["overdue_critical"]
    verdict = Verdict(
        "scheduled", judge(late, warn, crit), f"{overdue} overdue" if overdue else "nothing is overdue"
    )
    verdict.measures = [Measure("overdue", round(late, 1), "s", warn, crit)]
    if verdict.state != PASS:
        verdict.kind = "overdue"
        verdict.summary = f"{overdue} delayed tasks are overdue, the oldest by {brief(late)}"
        verdict.cause = "The worker moves delayed work to the queue when it is due; it has not done so."
        verdict.remedy = "Check that the worker runs (service and workers), look at its journal, restart it."
    return verdict


def judge_users(listed: Any, named: Collection[str]) -> Verdict:
    """Whether nobody else may enter than whom root has let in.

    :param listed: the answer to ACL LIST.
    :param named: who may be there.
    """
    if not isinstance(listed, list):
        return Verdict("users", SKIP, f"ACL LIST: {listed}")
    users = read_users(listed, named)
    foreign = list(map(shown, users.foreign))
    evidence = {"foreign": foreign, "passwords": users.passwords}
    if foreign:
        return Verdict(
            "users",
            FAIL,
            f"Redis has users that nobody deployed: {', '.join(foreign[:5])}",
            cause="Somebody who had its password has made them, and they let in whatever that password is.",
            remedy="Deploy again, which removes them and ends all connections; then change the password with "
            "playbooks/rotate.yml. One of your own belongs into redis_settings.",
            kind="redis_users",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    if users.passwords > 1:
        return Verdict(
            "users",
            WARN,
            f"Redis takes {users.passwords} passwords",
            cause="A rotation is under way or was interrupted; else somebody who had the password has "
            "added one.",
            remedy="Run playbooks/rotate.yml again. A deployment leaves one password, too.",
            kind="redis_passwords",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    return Verdict("users", summary="nobody else may enter", evidence=evidence)


def _ask(redis: Redis, name: str, now: float, clock: Clock) -> list[Any]:
    """What is asked, in one go. Raises RedisError where the queue cannot be looked at."""
    replies = redis.calls(
        [
            ("PING",),
            ("LLEN", name),
            ("LINDEX", name, "-1"),
            ("ZCOUNT", f"{name}:scheduled", "-inf", repr(now)),
            ("ZRANGE", f"{name}:scheduled", "0", "0", "WITHSCORES"),
            trial(name),
            ("INFO",),
            ("CLIENT", "LIST"),
        ]
    )
    for number, reply in enumerate(replies[:5]):
        # PING is refused like a write where Redis cannot save: what the write says is told with its reason.
        if isinstance(reply, RedisError) and not (number == 0 and reply.kind == "unsaved"):
            reply.key = f"{name}:scheduled" if number > 2 else name
            raise reply
    looks = 1
    while isinstance(replies[-1], str) and looks < LOOKS and not any(workers(parse_clients(replies[-1]))):
        clock.sleep(LOOK_PAUSE)
        replies[-1] = redis.calls([("CLIENT", "LIST")])[0]
        looks += 1
    return replies


def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """One connection, all commands in one go."""
    environment = context.host.environment
    url = options["redis_url"] or environment.get("RQ_REDIS_URL", "") or "redis://localhost:6379/0"
    name = options["queue_name"] or environment.get("RQ_QUEUE_NAME", "") or "default"
    context.redactor.add(urlsplit(url).password, unquote(urlsplit(url).password or ""))
    now = context.clock.now()
    try:
        users = [*SERVERS, *context.common["trusted_users"]]
        redis = Redis(url, min(5.0, float(context.common["timeout"])), users)
    except RedisError as error:
        return combine("queue", [connection_problem(error, url).verdict("connection")])
    try:
        replies = _ask(redis, name, now, context.clock)
        listed = redis.calls([("ACL", "LIST")])[0] if options["redis_users"] else None
    except RedisError as error:
        return combine("queue", [connection_problem(error, url, name, error.key).verdict("connection")])
    finally:
        redis.close()
    _pong, depth, entry, overdue, first, written, info, clients = replies
    score = float(first[1]) if isinstance(first, list) and len(first) > 1 else None
    state = state_of(info) if isinstance(info, str) else {}
    writes = judge_writes(written, state, cli_of(url))
    quoted = shlex.quote(name)
    parts = [
        Verdict("connection", summary=f"Redis answers, queue {name}"),
        writes,
        # A worker that is refused asks again and again, and looks busy.
        Verdict("workers", SKIP, "not judged while Redis refuses writes")
        if writes.state == FAIL
        else Verdict(
            "workers",
            ERROR,
            f"CLIENT LIST: {clients}",
            cause="The user of RQ_REDIS_URL may not see who is connected.",
            remedy="Allow the command CLIENT LIST to the user (ACL).",
            kind="not_permitted",
        )
        if not isinstance(clients, str)
        else judge_workers(parse_clients(clients), options),
        judge_depth(int(depth), options),
        judge_oldest(entry, now, options, f"{cli_of(url)} lmove {quoted} {quoted}-aside right left"),
        judge_overdue(int(overdue), score, now, options),
    ]
    if state:
        parts.append(judge_memory(state, writes.state == FAIL))
    if options["redis_users"]:
        parts.append(judge_users(listed, options["redis_users"]))
    parts += judge_certificate(redis.certificate_ends, now, options)
    parts += judge_strays(context)
    return combine("queue", parts, f"{parts[2].summary}; {parts[3].summary}; {parts[5].summary}")
