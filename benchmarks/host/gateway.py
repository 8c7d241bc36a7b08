#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stands in for an OpenClaw gateway with many sessions: gateway.py PORT SESSIONS.

The real one lists a few thousand sessions within seconds, not milliseconds, which would be measured instead
of the check. It speaks protocol 3 as far as Mission Control asks. It runs with the backend's own Python,
which has websockets.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Any

import websockets


def sessions(number: int) -> list[dict[str, Any]]:
    now = int(time.time() * 1000)
    return [
        {
            "key": f"agent:scale-{index}:main",
            "kind": "direct",
            "label": f"Scale {index}",
            "displayName": f"Scale {index}",
            "sessionId": str(uuid.uuid4()),
            "updatedAt": now - index * 1000,
            "systemSent": False,
            "modelProvider": "none",
            "contextTokens": 200000,
        }
        for index in range(number)
    ]


async def main() -> None:
    listed = sessions(int(sys.argv[2]))

    def answer(method: str, parameters: dict[str, Any]) -> Any:
        match method:
            case "connect":
                return {"type": "hello-ok", "protocol": 3, "server": {"version": "2026.4.2"}}
            case "sessions.list":
                return {"count": len(listed), "sessions": listed}
            case "sessions.patch":
                main_session = {"sessionId": "main", "updatedAt": int(time.time() * 1000), "label": "Main"}
                return {"ok": True, "key": parameters.get("key"), "entry": main_session}
            case "chat.history":
                return {"messages": [{"role": "user", "timestamp": int(time.time() * 1000)}]}
        raise ValueError(method)

    async def serve(connection: websockets.ServerConnection) -> None:
        challenge = {"type": "event", "event": "connect.challenge", "payload": {"nonce": "stand-in"}}
        await connection.send(json.dumps(challenge))
        async for message in connection:
            request = json.loads(message)
            payload = answer(request["method"], request.get("params") or {})
            await connection.send(
                json.dumps({"type": "res", "id": request["id"], "ok": True, "payload": payload})
            )

    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1])):
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
