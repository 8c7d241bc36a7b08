# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stands in for a service during maintenance: on its socket, under systemd's Type=notify.

usage: maintenance.py page|api|idle NOTICE

NOTICE is a JSON file that says since when, why and until when; it is read for every answer, so that it may
change. Every request is answered with 503: people get a page, programs JSON. `idle` does nothing: the worker.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import html
import json
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FIRST_DESCRIPTOR = 3
HEAD_SECONDS = 15
HEAD_BYTES = 65_536
BODY_BYTES = 1 << 20
LINGER_SECONDS = 2
RETRY_SECONDS = (30, 120, 3600)  # at least, when nothing is known, at most

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="30">
<title>Mission Control: maintenance</title>
<style>
:root { --ground: #f5f6f8; --card: #fff; --ink: #1b1f27; --soft: #5a6372; --line: #dfe3e9; --mark: #b45309; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #101318; --card: #191e26; --ink: #e8ebf0; --soft: #9aa5b5; --line: #2a313c;
    --mark: #fbbf24; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100svh; display: grid; place-items: center; padding: 1.25rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { width: 100%; max-width: 34rem; padding: clamp(1.5rem, 5vw, 2.5rem); background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem; }
svg { display: block; width: 2.5rem; height: 2.5rem; margin-left: -.3rem; color: var(--mark); }
h1 { margin: 1rem 0 .5rem; font-size: 1.5rem; line-height: 1.25; text-wrap: balance; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.reason { font-size: 1.125rem; white-space: pre-line; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .35rem 1.25rem; margin: 1.25rem 0; padding: 1rem 0;
  border: solid var(--line); border-width: 1px 0; }
dt { color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.soft { color: var(--soft); font-size: .9375rem; }
</style>
</head>
<body>
<main>
<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round"
stroke-linejoin="round" aria-hidden="true"><path d="M14.7 6.3a4 4 0 0 0-5.4 5.2L3.6 17.2a2 2 0 0 0 0 2.8l.4.4
a2 2 0 0 0 2.8 0l5.7-5.7a4 4 0 0 0 5.2-5.4l-2.6 2.6-2.6-.4-.4-2.6z"/></svg>
<h1>Mission Control is in maintenance</h1>
@reason@
<dl>
@times@
</dl>
<p class="soft">This page looks again every 30 seconds and brings you back by itself.</p>
</main>
<script>
for (const time of document.querySelectorAll("time"))
  time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
</script>
</body>
</html>
"""


def notify(message: str) -> None:
    """Tell systemd something; without systemd nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall(message.encode())


def handed_over() -> list[socket.socket]:
    """The listening sockets that systemd opened for this process."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return [socket.socket(fileno=FIRST_DESCRIPTOR + number) for number in range(count)]


def read_notice(path: Path) -> dict[str, str]:
    """What is to be told. It may be changed at any time, and an answer is due in any case."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    return {name: str(told.get(name) or "") for name in ("since", "until", "reason")}


def moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def retry_after(notice: dict[str, str], now: datetime) -> int:
    """Seconds after which asking again makes sense."""
    least, unknown, most = RETRY_SECONDS
    until = moment(notice["until"])
    if until is None or until <= now:
        return unknown
    return min(max(int((until - now).total_seconds()), least), most)


def time_row(label: str, text: str) -> str:
    found = moment(text)
    if found is None:
        return ""
    shown = found.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f'<dt>{label}</dt><dd><time datetime="{html.escape(found.isoformat())}">{shown}</time></dd>'


def page(notice: dict[str, str]) -> bytes:
    reason = f'<p class="reason">{html.escape(notice["reason"])}</p>' if notice["reason"] else ""
    rows = [time_row("Since", notice["since"]), time_row("Expected back", notice["until"])]
    times = "\n".join(row for row in rows if row)
    return PAGE.replace("@reason@", reason).replace("@times@", times).encode()


def document(notice: dict[str, str]) -> bytes:
    sentence = "Mission Control is in maintenance"
    detail = f"{sentence}: {notice['reason']}" if notice["reason"] else f"{sentence}."
    told = {name: value or None for name, value in notice.items()}
    return json.dumps({"ok": False, "detail": detail, "maintenance": told}).encode()


def answer(kind: str, head: bytes, notice: dict[str, str], now: datetime) -> bytes:
    """The whole answer to a request, of which only the head matters."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method = first.split(" ", 1)[0]
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    accepted = headers.get("accept", "")
    people = "text/html" in accepted or (kind == "page" and "application/json" not in accepted)
    fields = {
        "Retry-After": str(retry_after(notice, now)),
        # For verification, which wants to name the reason whatever kind of answer it asked for.
        "X-Mission-Control-Maintenance": json.dumps(notice),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Connection": "close",
    }
    if origin := headers.get("origin"):
        # Pages that are still open shall read the reason, too; there is nothing private in it.
        fields |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        fields["Vary"] = "Origin"
    if method == "OPTIONS" and origin:
        fields["Access-Control-Allow-Methods"] = headers.get("access-control-request-method", "GET")
        fields["Access-Control-Allow-Headers"] = headers.get("access-control-request-headers", "")
        return written("204 No Content", fields, b"")
    if people:
        fields["Content-Type"] = "text/html; charset=utf-8"
        fields["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
        )
    else:
        fields["Content-Type"] = "application/json"
    body = page(notice) if people else document(notice)
    fields["Content-Length"] = str(len(body))
    return written("503 Service Unavailable", fields, b"" if method == "HEAD" else body)


def written(status: str, fields: dict[str, str], body: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


class Standing:
    """The server: reads a head, answers, closes."""

    def __init__(self, kind: str, notice: Path) -> None:
        self.kind, self.notice = kind, notice
        self.open: set[asyncio.Task[Any]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("asyncio calls this in a task")
        self.open.add(task)
        try:
            with contextlib.suppress(
                OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
            ):
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
                writer.write(answer(self.kind, head[:-4], read_notice(self.notice), datetime.now(UTC)))
                await writer.drain()
                writer.write_eof()
                # Closing with something unread would reset the connection before the answer was read.
                await asyncio.wait_for(self.rest(reader), LINGER_SECONDS)
        finally:
            writer.close()
            self.open.discard(task)

    @staticmethod
    async def rest(reader: asyncio.StreamReader) -> None:
        left = BODY_BYTES
        while left > 0 and (block := await reader.read(65_536)):
            left -= len(block)

    async def serve(self, sockets: list[socket.socket]) -> None:
        end = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end.set)
        servers = [
            await asyncio.start_server(self.connected, sock=listener, limit=HEAD_BYTES)
            for listener in sockets
        ]
        notify("READY=1\nSTATUS=In maintenance")
        await end.wait()
        notify("STOPPING=1")
        # From here on connections wait in the socket unit for the service itself.
        for server in servers:
            server.close()
        if self.open:
            await asyncio.wait(self.open, timeout=LINGER_SECONDS + 1)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Stand in for a service during maintenance.")
    parser.add_argument("kind", choices=("page", "api", "idle"))
    parser.add_argument("notice", type=Path)
    options = parser.parse_args(arguments)
    if options.kind == "idle":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        notify("READY=1\nSTATUS=In maintenance")
        while True:
            signal.pause()
    sockets = handed_over()
    if not sockets:
        print("No socket was handed over: start the socket unit first.", file=sys.stderr)
        return 1
    asyncio.run(Standing(options.kind, options.notice).serve(sockets))
    return 0


if __name__ == "__main__":
    sys.exit(main())
