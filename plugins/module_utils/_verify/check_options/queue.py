# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check queue."""

from __future__ import annotations

from ..option_model import Options, option, pair

TITLE = "Redis answers, a worker waits, and no work lies there for too long"
OPTIONS: Options = {
    "redis_url": option(
        "str", "Address of Redis. Without it C(RQ_REDIS_URL) of O(env_file).", "", no_log=True
    ),
    "queue_name": option("str", "Name of the queue. Without it C(RQ_QUEUE_NAME).", ""),
    "workers_minimum": option("int", "How many workers there must be.", 1),
    "hung_after": option(
        "int", "Seconds after which a worker that took work and is silent counts as hung.", 300
    ),
    **pair("depth", "the number of waiting entries", "100", "1000"),
    **pair("age", "the age of the oldest entry, in seconds,", "60", "600"),
    **pair("overdue", "how long delayed work is overdue, in seconds,", "60", "600"),
}
