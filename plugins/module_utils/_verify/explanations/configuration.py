# SPDX-License-Identifier: GPL-3.0-or-later
"""What wrong or old settings explain."""

from __future__ import annotations

from ..explanation import Match, Row
from . import not_deployed
from .gateway_words import BEHIND_THE_GATEWAY
from .units import BACKEND, BROKEN_START, FRONTEND, SHARED, WORKER
from .words import API, LOGS, NO_WORK_DONE, NOT_REACHED, kinds

ROWS: tuple[Row, ...] = (
    not_deployed.ROW,
    Row(
        name="proxy",
        causes=(kinds("local_proxy"),),
        effects=(*BEHIND_THE_GATEWAY, LOGS),
        reason="What the backend sends to a proxy does not arrive at a gateway on its own host.",
    ),
    Row(
        name="environment file",
        causes=(kinds("env_file_garbled"), kinds("env_file_missing", at=("configuration",))),
        effects=(
            kinds(
                "stale_environment", "setting_misspelt", "base_url", "cors_misconfigured", "header_blanked"
            ),
            kinds("no_database_url", "env_file_missing", *BROKEN_START, *SHARED),
            Match(at=(*API, "frontend", "database", "queue"), but=frozenset({"not_deployed", "maintenance"})),
            Match(kinds=frozenset({"port_closed"}), unit=BACKEND),
            LOGS,
        ),
        reason="From a file that is garbled, or not there, nobody gets addresses, passwords and token right.",
    ),
    Row(
        name="changed backend",
        causes=(
            kinds("release_changed", at=("configuration.release backend",)),
            kinds("interpreter_missing"),
        ),
        effects=(
            kinds(*BROKEN_START, *SHARED, at=(f"service.{BACKEND}", f"service.{WORKER}")),
            kinds("env_file_missing", "no_database_url", "no_worker", *NO_WORK_DONE),
            kinds(*NOT_REACHED, "server_error", at=API),
            Match(at=("queue.connection",), kinds=frozenset({"redis_login"})),
            Match(kinds=frozenset({"port_closed"}), unit=BACKEND),
            Match(at=(f"log.{BACKEND}", f"log.{WORKER}")),
            # All of it became somebody else's.
            kinds("release_changed"),
        ),
        reason="What starts from files that are not those of the release does not start, or something else.",
    ),
    Row(
        name="changed frontend",
        causes=(kinds("release_changed", at=("configuration.release frontend",)),),
        effects=(
            kinds(*BROKEN_START, *SHARED, at=(f"service.{FRONTEND}",)),
            kinds("assets_broken", "no_assets", "api_url_differs", "api_url_unknown", "mixed_content"),
            kinds(*NOT_REACHED, "server_error", "not_html", at=("frontend", "configuration.api_url")),
            Match(kinds=frozenset({"port_closed"}), unit=FRONTEND),
            Match(at=(f"log.{FRONTEND}",)),
        ),
        reason="A page whose files are gone or others is broken, or built for something else.",
    ),
    Row(
        name="device identity",
        causes=(kinds("identity_garbled"),),
        effects=(*BEHIND_THE_GATEWAY, LOGS),
        reason="Without its key the backend cannot say to a gateway who it is.",
    ),
    Row(
        name="old settings",
        causes=(kinds("stale_environment"),),
        effects=(kinds("stale_environment"),),
        reason="One deployment wrote the environment file that all of them have not read yet.",
    ),
    Row(
        name="CORS settings",
        causes=(
            Match(at=("configuration.cors_origins",)),
            kinds("cors_misconfigured", at=("configuration",)),
        ),
        effects=(Match(family="cors_"),),
        reason="CORS_ORIGINS decides which origins the backend lets in.",
    ),
)
