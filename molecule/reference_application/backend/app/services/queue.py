"""The queue: a Redis list, and a sorted set beside it for what is due later.

An entry is one JSON object: task_type, payload, created_at, attempts.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.config import settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueuedTask:
    task_type: str
    payload: dict[str, Any]
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    attempts: int = 0

    def dump(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def load(cls, raw: bytes | str) -> QueuedTask:
        entry = json.loads(raw)
        if not isinstance(entry, dict):
            raise ValueError("a queue entry must be a JSON object")
        if "task_type" not in entry:
            return cls("legacy", entry)
        return cls(
            str(entry["task_type"]),
            dict(entry["payload"]),
            str(entry.get("created_at", "")),
            int(entry.get("attempts", 0)),
        )

    def again(self) -> QueuedTask:
        return replace(self, attempts=self.attempts + 1)


def scheduled_name(queue: str) -> str:
    return f"{queue}:scheduled"


async def put(redis: Redis, task: QueuedTask, delay: float = 0.0) -> None:
    queue = settings.rq_queue_name
    if delay > 0:
        await redis.zadd(scheduled_name(queue), {task.dump(): time.time() + delay})
        logger.info(
            "rq.queue.scheduled",
            extra={"task_type": task.task_type, "queue_name": queue, "delay_seconds": round(delay, 3)},
        )
    else:
        await redis.lpush(queue, task.dump())
        logger.info(
            "rq.queue.enqueued",
            extra={"task_type": task.task_type, "queue_name": queue, "attempt": task.attempts},
        )


async def enqueue(task: QueuedTask) -> bool:
    """For the API: a request must not fail because Redis is down, but the log says so."""
    redis = Redis.from_url(settings.rq_redis_url)
    try:
        await put(redis, task)
    except RedisError as error:
        logger.warning(
            "rq.queue.enqueue_failed",
            extra={"task_type": task.task_type, "queue_name": settings.rq_queue_name, "error": str(error)},
        )
        return False
    finally:
        await redis.aclose()
    return True


async def move_due(redis: Redis, queue: str) -> float | None:
    """Move what is due to the list; say in how many seconds the next one is."""
    name = scheduled_name(queue)
    for entry in await redis.zrangebyscore(name, "-inf", time.time(), start=0, num=100):
        # Only who removed an entry may queue it: another worker may be moving the same one.
        if await redis.zrem(name, entry):
            await redis.lpush(queue, entry)
    following = await redis.zrange(name, 0, 0, withscores=True)
    return max(0.0, following[0][1] - time.time()) if following else None
