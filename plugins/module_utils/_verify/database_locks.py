# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a lock of the database that others wait for, or that shuts a table to everybody.

The application's role sees of other roles' sessions who they are and which locks they hold, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .._host.reachable import is_this_host
from .._times.amounts import brief
from .postgresql import LOCKS
from .verdict import FAIL, Verdict

# A lock of a moment is no trouble: it is one when it is still held after all of these looks.
LOOKS, PAUSE = 6, 0.3
# The application's own transactions make each other wait for rows. In seconds.
ROW_PATIENCE = 30.0
# A holder is who waits for nobody himself; whoever stands in line behind others holds nothing up.
_HOLDERS = """
WITH here AS (
  SELECT pid, usename, application_name, query_start, xact_start FROM pg_stat_activity
  WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
), waiting AS (
  SELECT l.pid, pg_blocking_pids(l.pid) AS blockers, l.locktype = 'relation' AS for_table, c.relname,
    extract(epoch FROM clock_timestamp() - here.query_start) AS waited
  FROM pg_locks l JOIN here USING (pid) LEFT JOIN pg_class c ON c.oid = l.relation WHERE NOT l.granted
), shut AS (
  SELECT l.pid, c.relname FROM pg_locks l JOIN here USING (pid) JOIN pg_class c ON c.oid = l.relation
  WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p')
    AND c.relnamespace = to_regnamespace('public')
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT pid, usename::text, application_name, (SELECT count(DISTINCT pid) FROM waiting)::int,
  coalesce((SELECT string_agg(DISTINCT relname, ', ') FROM (
    SELECT relname FROM shut WHERE shut.pid = here.pid
    UNION SELECT relname FROM waiting WHERE here.pid = ANY(blockers)) AS tables), ''),
  coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8
FROM here
WHERE pid NOT IN (SELECT pid FROM waiting) AND (
  pid IN (SELECT pid FROM shut)
  OR EXISTS (SELECT 1 FROM waiting WHERE here.pid = ANY(blockers) AND (for_table OR waited > %(patience)s)))
ORDER BY pid
"""


class Holder(NamedTuple):
    """A session that holds others up."""

    pid: int
    role: str
    program: str  # as it calls itself
    waiting: int  # sessions that wait, for whomever
    tables: str
    age: float  # seconds of its transaction; 0 where that is not shown


def holders(cursor: Any, sleep: Callable[[float], None]) -> list[Holder]:
    """Who holds a lock all the time that is looked; mostly nobody, which is seen at once."""
    found: list[Holder] = []
    for look in range(LOOKS):
        cursor.execute(_HOLDERS, {"patience": ROW_PATIENCE})
        # A number, whatever answers as a server: root is told a command with it.
        now = [Holder(int(pid), *more) for pid, *more in cursor.fetchall()]
        before = {holder.pid for holder in found}
        found = [holder for holder in now if look == 0 or holder.pid in before]
        if not found:
            break
        if look < LOOKS - 1:
            sleep(PAUSE)
    return found


def _who(holder: Holder) -> str:
    program = f", {holder.program}" if holder.program else ""
    return f"{holder.pid} (role {holder.role}{program})"


def judge_locks(found: Sequence[Holder], waiting: int, url: str, options: Mapping[str, Any]) -> Verdict:
    """Sessions that wait for a lock, and who makes them.

    :param waiting: how many wait now.
    :param url: of the database.
    """
    verdict = LOCKS.judged(waiting, f"{waiting} sessions wait for a lock", options)
    if not found:
        return verdict
    who = " and ".join(_who(holder) for holder in found[:3])
    several = len(found) > 1
    tables = ", ".join(sorted({name for holder in found for name in holder.tables.split(", ") if name}))
    age = max(holder.age for holder in found)
    how_long = f" for {brief(age)}" if age else ""
    call = "; ".join(f"SELECT pg_terminate_backend({holder.pid})" for holder in found)
    how = f"runuser -u postgres -- psql -c '{call}'" if is_this_host(url) else f"as its administrator: {call}"
    verdict.state, verdict.kind = FAIL, "lock_held"
    verdict.summary = (
        f"{'sessions' if several else 'session'} {who} {'hold' if several else 'holds'} a lock"
        f"{f' on {tables[:200]}' if tables else ''}, {max(waiting, found[0].waiting)} wait"
    )
    verdict.cause = (
        f"Whatever needs {tables[:200] or 'the same rows'} waits{how_long} until the transaction of {who} "
        "ends: a session left open by hand, a migration, VACUUM FULL, or a program that hangs in a "
        "transaction."
    )
    verdict.remedy = f"Let it finish, or end it, which takes back what it did: {how}"
    verdict.evidence = {"holders": [holder._asdict() for holder in found[:10]]}
    return verdict
