# SPDX-License-Identifier: GPL-3.0-or-later
"""What units that do not run explain."""

from __future__ import annotations

from ..explanation import Match, Row
from . import disk_full, user_manager
from .gateway_words import BEHIND_THE_GATEWAY
from .units import BACKEND, BROKEN_START, FRONTEND, GATEWAY, SHARED, USELESS, WORKER
from .words import API, LOGS, NO_WORK_DONE, NOT_REACHED, kinds


def fatal(*units: str, kinds: frozenset[str] = frozenset()) -> tuple[Match, ...]:
    """A unit that does not run, or not for long, or does nothing. A full disk has a row of its own."""
    at = tuple(f"service.{unit}" for unit in units) or ("service",)
    stopped = Match(at=at, part="active", kinds=kinds, but=frozenset({"disk_full"}))
    return (stopped,) if kinds else (stopped, Match(at=at, kinds=USELESS))


ROWS: tuple[Row, ...] = (
    disk_full.ROW,
    user_manager.ROW,
    Row(
        name="old release",
        causes=(kinds("stale_release", at=("service",)),),
        effects=(kinds("stale_release", "stale_environment"),),
        reason="A process that was not restarted after a release was switched has its old settings, too.",
    ),
    Row(
        name="unit down",
        causes=fatal(),
        effects=(
            Match(at=("service",), but=frozenset({"disk_full", "files_limit"}), same="unit"),
            # The process ended while it was looked at, or has settings of before.
            Match(
                at=("configuration",), kinds=frozenset({"not_permitted", "stale_environment"}), same="unit"
            ),
        ),
        reason="What else is wrong with a unit that does not run comes from that.",
    ),
    Row(
        name="common fault",
        causes=fatal(kinds=SHARED),
        effects=(
            Match(at=("service",), same="kind"),
            # A worker that starts anew again and again seems to run at times.
            kinds("no_worker"),
            Match(at=(f"log.{WORKER}",)),
        ),
        reason="Units of one release share its settings and its code: what ends one ends the others.",
    ),
    Row(
        name="busy processors",
        causes=(kinds("spinning", at=("service",)),),
        effects=(kinds("timeout", "connect_timeout", "slow"),),
        reason="What never pauses takes the processors that everything else on its host needs.",
    ),
    Row(
        name="open files",
        causes=(kinds("files_limit", at=("service",)),),
        effects=(
            kinds("files_limit", *BROKEN_START, at=("service",)),
            kinds(*NOT_REACHED, "server_error", "not_json", "slow", at=(*API, "frontend")),
            *BEHIND_THE_GATEWAY,
            kinds("no_worker", *NO_WORK_DONE),
            LOGS,
        ),
        reason="What may open nothing more takes no connections and reads no files, one for each process "
        "that has that limit.",
    ),
    Row(
        name="backend",
        causes=fatal(BACKEND),
        effects=(
            kinds(*NOT_REACHED, "not_found", "server_error", "slow", "door_backend_lost", at=API),
            Match(kinds=frozenset({"port_closed"}), unit=BACKEND),
            Match(at=(f"log.{BACKEND}",)),
        ),
        reason="Nothing of the API answers while the backend is down.",
    ),
    Row(
        name="frontend",
        causes=fatal(FRONTEND),
        effects=(
            kinds(
                *NOT_REACHED, "server_error", "door_frontend_lost", at=("frontend", "configuration.api_url")
            ),
            Match(kinds=frozenset({"port_closed"}), unit=FRONTEND),
            Match(at=(f"log.{FRONTEND}",)),
        ),
        reason="No page is served while the frontend is down.",
    ),
    Row(
        name="worker",
        causes=fatal(WORKER),
        effects=(
            kinds("no_worker", "worker_hung", *NO_WORK_DONE),
            Match(at=(f"log.{WORKER}",)),
        ),
        reason="Nobody takes work from the queue while the worker is down.",
    ),
    Row(
        name="gateway's unit",
        causes=fatal(GATEWAY),
        effects=(
            *BEHIND_THE_GATEWAY,
            kinds(*NOT_REACHED, at=("sessions", "session", "gateway")),
            kinds("door_gateway_lost", "door_gateway_silent", at=("front_door",)),
            LOGS,
        ),
        reason="What does not run, or is stopped, answers nobody: neither the backend nor us.",
    ),
)
