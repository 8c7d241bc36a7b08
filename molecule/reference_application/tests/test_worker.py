"""From a change in the API through the queue to an event; and what happens when things go wrong."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from conftest import NewApplication
from support import Application, Backend, Redis, crowd, wait_until


@pytest.fixture(scope="module")
def queueing(new_application: NewApplication) -> Application:
    return new_application("seeded")


@pytest.fixture(scope="module")
def api(queueing: Application) -> Iterator[Backend]:
    with queueing.backend() as backend:
        yield backend


@pytest.fixture
def queue(queueing: Application, redis_server: Redis) -> Iterator[Queue]:
    queue = Queue(redis_server.url, queueing.environment["RQ_QUEUE_NAME"])
    queue.client.delete(queue.name, queue.scheduled)
    yield queue
    queue.client.close()


class Queue:
    def __init__(self, url: str, name: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.name, self.scheduled = name, f"{name}:scheduled"

    @staticmethod
    def entry(kind: str, **payload: Any) -> str:
        created = "2026-04-04T00:00:00+00:00"
        return json.dumps({"task_type": kind, "payload": payload, "created_at": created, "attempts": 0})

    def put(self, kind: str, **payload: Any) -> None:
        self.client.lpush(self.name, self.entry(kind, **payload))

    def is_empty(self) -> bool:
        return not self.client.exists(self.name, self.scheduled)


def messages(application: Application) -> list[str]:
    rows = application.rows("SELECT message FROM activity_events ORDER BY created_at DESC")
    return [row["message"] for row in rows]


def test_a_change_reaches_the_activity_through_the_worker(
    queueing: Application, api: Backend, queue: Queue
) -> None:
    board = api.read("/api/v1/boards")["items"][0]
    changed = api.send("PATCH", f"/api/v1/boards/{board['id']}", {"description": "Changed for the queue"})
    assert changed.status_code == 200, changed.text
    waiting = [json.loads(entry) for entry in queue.client.lrange(queue.name, 0, -1)]
    assert [(entry["task_type"], entry["attempts"]) for entry in waiting] == [("activity_event", 0)]
    assert set(waiting[0]) == {"task_type", "payload", "created_at", "attempts"}

    with queueing.worker() as worker:
        worker.wait_for("queue.worker.success")
        wait_until(
            lambda: any("b" in client["flags"] for client in queue.client.client_list()), "a blocked client"
        )
    newest = api.read("/api/v1/activity", limit="1")["items"][0]
    assert newest["event_type"] == "board.updated"
    assert newest["board_id"] == board["id"]
    assert queue.is_empty()


def test_entries_are_taken_oldest_first_and_later_ones_when_due(queueing: Application, queue: Queue) -> None:
    for number in range(3):
        queue.put("activity_event", event_type="test.now", message=f"now {number}")
    with queueing.worker() as worker:
        due = time.time() + 2
        later = queue.entry("activity_event", event_type="test.later", message="later")
        queue.client.zadd(queue.scheduled, {later: due})
        wait_until(lambda: "later" in messages(queueing), "the later entry")
        assert due <= time.time() < due + 5
        wait_until(lambda: worker.log().count("queue.worker.success") == 4, "four successes")
    assert messages(queueing)[:4] == ["later", "now 2", "now 1", "now 0"]
    assert queue.is_empty()


def test_a_failing_task_comes_back_and_is_dropped_in_the_end(queueing: Application, queue: Queue) -> None:
    # A board that does not exist: the database refuses the event.
    queue.put("activity_event", event_type="test.bad", board_id="00000000-0000-0000-0000-000000000001")
    with queueing.worker(RQ_DISPATCH_MAX_RETRIES="1") as worker:
        worker.wait_for("queue.worker.drop_task")
        log = worker.log()
    assert log.count("queue.worker.failed") == 2
    assert "rq.queue.scheduled" in log
    assert "attempt=1" in log
    assert queue.is_empty()


def test_what_it_cannot_read_or_does_not_know_is_passed_over(queueing: Application, queue: Queue) -> None:
    queue.client.lpush(queue.name, "no JSON", "[1]", '{"task_type": "activity_event"}')
    queue.put("webhook_delivery")
    queue.put("activity_event", event_type="test.after", message="after the bad ones")
    with queueing.worker() as worker:
        wait_until(lambda: "after the bad ones" in messages(queueing), "the good entry")
        assert worker.log().count("rq.queue.dequeue_failed") == 3
        assert worker.log().count("queue.worker.task_unhandled") == 1
    assert queue.is_empty()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked(queueing: Application, queue: Queue, number: signal.Signals) -> None:
    with queueing.worker() as worker:
        started = time.monotonic()
        assert worker.stop(number) == 0
        assert time.monotonic() - started < 3 * crowd()
        assert "queue.worker.stopped" in worker.log()


def test_it_waits_between_tasks(queueing: Application, queue: Queue) -> None:
    for number in range(2):
        queue.put("activity_event", event_type="test.slow", message=f"slow {number}")
    with queueing.worker(RQ_DISPATCH_THROTTLE_SECONDS="30") as worker:
        worker.wait_for("queue.worker.success")
        time.sleep(0.5)
        assert queue.client.llen(queue.name) == 1
        assert worker.stop() == 0


def test_it_survives_without_redis(queueing: Application, redis_server: Redis, api: Backend) -> None:
    with queueing.worker() as worker:
        redis_server.stop()
        try:
            worker.wait_for("retry_in_seconds=2.0")
            board = api.read("/api/v1/boards")["items"][0]
            changed = api.send("PATCH", f"/api/v1/boards/{board['id']}", {"name": board["name"]})
            assert changed.status_code == 200
            assert "rq.queue.enqueue_failed" in api.log()
            # No flood: it waits longer and longer.
            assert worker.log().count("queue.worker.dequeue_failed") <= 4
            assert worker.process.poll() is None
        finally:
            redis_server.start()
        queue = Queue(redis_server.url, queueing.environment["RQ_QUEUE_NAME"])
        queue.put("activity_event", event_type="test.back", message="Redis is back")
        queue.client.close()
        wait_until(lambda: "Redis is back" in messages(queueing), "the entry after the outage", 20)
