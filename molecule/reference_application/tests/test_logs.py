"""The two formats of the log, and what is written into it."""

from __future__ import annotations

import json
import re

from support import TOKEN, Application

STAND_IN = "Reference application: a stand-in for trials and tests, not OpenClaw Mission Control"
LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?P<level>[A-Z]+) (?P<logger>[\w.]+) (?P<message>.*)"
    r" app=mission-control-reference version=\S+(?P<extra>( \w+=.*)?)$"
)


def test_text(application: Application) -> None:
    with application.backend() as backend:
        backend.client.get("/healthz")
        backend.client.get("/api/v1/agents", headers={"X-Request-Id": "one"})
        backend.read("/api/v1/agents")
        log = backend.log()
    ours = [line for line in log.splitlines() if not line.startswith("INFO: ")]
    assert all(LINE.match(line) for line in ours), log
    assert any(STAND_IN in line for line in ours)
    refused = [line for line in ours if "http.request.complete" in line]
    # At INFO only what went wrong is written; health calls never are.
    assert len(refused) == 1
    match = LINE.match(refused[0])
    assert match and match["level"] == "WARNING"
    for part in (
        "request_id=one",
        "method=GET",
        "path=/api/v1/agents",
        "status_code=401",
        "client_ip=127.0.0.1",
    ):
        assert part in match["extra"].split(" ")
    assert TOKEN not in log


def test_json(application: Application) -> None:
    with application.backend(LOG_FORMAT="json", LOG_LEVEL="debug") as backend:
        backend.read("/api/v1/agents")
        lines = [json.loads(line) for line in backend.log().splitlines() if line.startswith("{")]
    always = {"timestamp", "level", "logger", "message", "app", "version", "module", "function", "line"}
    assert all(line.keys() >= always for line in lines)
    assert lines[0]["message"] == "logging.configured level=DEBUG format=json use_utc=False"
    assert any(STAND_IN in line["message"] for line in lines)
    (done,) = [line for line in lines if line["message"] == "http.request.complete"]
    assert (done["level"], done["path"], done["status_code"]) == ("DEBUG", "/api/v1/agents", 200)
    assert re.fullmatch(r"[0-9a-f]{32}", done["request_id"])
    assert done["timestamp"].endswith("+00:00")


def test_choices(application: Application) -> None:
    with application.backend(
        LOG_LEVEL="TRACE",
        REQUEST_LOG_INCLUDE_HEALTH="true",
        REQUEST_LOG_SLOW_MS="1",
        # Otherwise uvicorn replaces the address before the application sees it.
        FORWARDED_ALLOW_IPS="",
        TRUSTED_PROXIES="127.0.0.0/8, nonsense",
        LOG_USE_UTC="true",
    ) as backend:
        backend.client.get("/healthz", headers={"X-Forwarded-For": "203.0.113.9, 10.0.0.1"})
        backend.read("/api/v1/metrics/dashboard")
        log = backend.log()
    assert "trusted_proxies.ignored_entry" in log
    assert re.search(r"TRACE \S+ http.request.start .*path=/healthz client_ip=203.0.113.9", log)
    assert re.search(r"http.request.slow .*path=/api/v1/metrics/dashboard .*slow_threshold_ms=1", log)
    assert "SELECT" in log


def test_forwarded_addresses_count_only_from_trusted_proxies(application: Application) -> None:
    with application.backend(FORWARDED_ALLOW_IPS="") as backend:
        backend.client.get("/api/v1/agents", headers={"X-Forwarded-For": "203.0.113.9"})
        assert "203.0.113.9" not in backend.log()
