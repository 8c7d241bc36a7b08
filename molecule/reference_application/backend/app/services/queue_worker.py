"""The worker: takes entries off the queue one at a time and handles them by their type."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.config import settings
from app.core.logging import configure_logging
from app.core.version import STAND_IN
from app.db.models import ActivityEvent
from app.db.session import engine, session_maker
from app.services.queue import QueuedTask, move_due, put

logger = logging.getLogger(__name__)
# A finite wait, so that entries that become due meanwhile are seen.
BLOCK_SECONDS = 5.0
LONGEST_BACK_OFF = 30.0


def _id(value: object) -> UUID | None:
    return UUID(str(value)) if value else None


async def record_activity(payload: dict[str, Any]) -> None:
    """What a task of the stand-in does: it leaves an activity event that the API shows."""
    async with session_maker() as session:
        session.add(
            ActivityEvent(
                event_type=str(payload["event_type"]),
                message=payload.get("message"),
                board_id=_id(payload.get("board_id")),
                task_id=_id(payload.get("task_id")),
                agent_id=_id(payload.get("agent_id")),
            )
        )
        await session.commit()


HANDLERS: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {"activity_event": record_activity}


def retry_delay(attempts: int) -> float:
    delay = min(
        settings.rq_dispatch_retry_base_seconds * 2.0**attempts, settings.rq_dispatch_retry_max_seconds
    )
    return delay + random.uniform(0, delay * 0.1)  # noqa: S311 (jitter, not a secret)


async def handle(redis: Redis, task: QueuedTask) -> None:
    extra: dict[str, Any] = {"task_type": task.task_type, "attempt": task.attempts}
    handler = HANDLERS.get(task.task_type)
    if handler is None:
        logger.warning("queue.worker.task_unhandled", extra={**extra, "queue_name": settings.rq_queue_name})
        return
    try:
        await handler(task.payload)
    except Exception as error:
        logger.exception("queue.worker.failed", extra={**extra, "error": str(error)})
        if task.attempts >= settings.rq_dispatch_max_retries:
            logger.warning("queue.worker.drop_task", extra=extra)
        else:
            await put(redis, task.again(), retry_delay(task.attempts))
    else:
        logger.info("queue.worker.success", extra=extra)


async def take(redis: Redis) -> QueuedTask | None:
    queue = settings.rq_queue_name
    due_in = await move_due(redis, queue)
    wait = BLOCK_SECONDS if due_in is None else max(0.1, min(BLOCK_SECONDS, due_in))
    found = await redis.brpop([queue], timeout=wait)
    if found is None:
        return None
    try:
        return QueuedTask.load(found[1])
    except (ValueError, KeyError, TypeError) as error:
        logger.error("rq.queue.dequeue_failed", extra={"queue_name": queue, "error": str(error)})
        return None


async def work(stopping: asyncio.Event) -> None:
    redis = Redis.from_url(settings.rq_redis_url)
    back_off = 1.0
    try:
        while not stopping.is_set():
            try:
                task = await _unless(stopping, take(redis))
                if task is None:
                    continue
                await handle(redis, task)
                back_off = 1.0
            except (RedisError, OSError) as error:
                logger.error(
                    "queue.worker.dequeue_failed",
                    extra={
                        "queue_name": settings.rq_queue_name,
                        "error": str(error),
                        "retry_in_seconds": back_off,
                    },
                )
                await _unless(stopping, asyncio.sleep(back_off))
                back_off = min(back_off * 2, LONGEST_BACK_OFF)
                continue
            await _unless(stopping, asyncio.sleep(settings.rq_dispatch_throttle_seconds))
    finally:
        await redis.aclose()
        await engine.dispose()


async def _unless(stopping: asyncio.Event, awaitable: Awaitable[Any]) -> Any:
    """Wait for something, but give up when the worker is asked to stop. Never used around a handler."""
    wanted = asyncio.ensure_future(awaitable)
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({wanted, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if wanted.done():
        return wanted.result()
    wanted.cancel()
    return None


async def _main() -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    # Only now: who reads this line may stop the worker at once.
    logger.info(
        "queue.worker.batch_started", extra={"throttle_seconds": settings.rq_dispatch_throttle_seconds}
    )
    await work(stopping)


def run_worker() -> None:
    configure_logging()
    logger.info("app.reference %s", STAND_IN)
    try:
        asyncio.run(_main())
    finally:
        logger.info("queue.worker.stopped", extra={"queue_name": settings.rq_queue_name})
