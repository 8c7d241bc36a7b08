#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stands in for a gateway of protocol 4, as OpenClaw 2026.5.12 and later speak it: PORT [CERTIFICATE KEY].

It sends the challenge and refuses whoever does not offer its protocol, with the words and the closing code of
the real one. Nothing else of a gateway is there.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socketserver
import ssl
import struct
import sys

PROTOCOL = 4


class Connection(socketserver.StreamRequestHandler):
    def frame(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        head = (
            bytes([0x80 | opcode, size])
            if size < 126
            else bytes([0x80 | opcode, 126]) + struct.pack("!H", size)
        )
        self.wfile.write(head + payload)

    def receive(self) -> dict[str, object]:
        head = self.rfile.read(2)
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack("!H", self.rfile.read(2))[0]
        mask = self.rfile.read(4)
        text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.rfile.read(length)))
        answer: dict[str, object] = json.loads(text)
        return answer

    def handle(self) -> None:
        headers = {}
        self.rfile.readline()
        while line := self.rfile.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        key = headers.get("sec-websocket-key")
        if not key:
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"ok":true}')
            return
        digest = hashlib.sha1(
            (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode(), usedforsecurity=False
        ).digest()
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        challenge = {
            "type": "event",
            "event": "connect.challenge",
            "payload": {"nonce": "simulated", "ts": 0},
        }
        self.frame(0x1, json.dumps(challenge).encode())
        with contextlib.suppress(IndexError, ValueError, struct.error):
            request = self.receive()
            error = {
                "code": "INVALID_REQUEST",
                "message": "protocol mismatch",
                "details": {"expectedProtocol": PROTOCOL},
            }
            answer = {"type": "res", "id": request.get("id"), "ok": False, "error": error}
            self.frame(0x1, json.dumps(answer).encode())
            self.frame(0x8, struct.pack("!H", 1002) + b"protocol mismatch")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    # Every interface: the backends stand on other hosts.
    server = Server(("0.0.0.0", int(sys.argv[1])), Connection)  # noqa: S104
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()
