"""Streams of events, as a page holds them open."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable


class Streams:
    """Streams of events that are held open.

    connected: makes a connection, which waits longer than the 15 seconds between two events.
    """

    def __init__(
        self, count: int, connected: Callable[[], http.client.HTTPConnection], path: str, token: str
    ) -> None:
        self._connected = connected
        self._path = path
        self._token = token
        self.ended: list[str] = []
        self.events = 0
        self._stop = threading.Event()
        self._ready = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._hold, daemon=True) for _ in range(count)]

    def __enter__(self) -> Streams:
        for thread in self._threads:
            thread.start()
        for _thread in self._threads:
            assert self._ready.acquire(timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _hold(self) -> None:
        connection = self._connected()
        connection.request("GET", self._path, headers={"Authorization": f"Bearer {self._token}"})
        answer = connection.getresponse()
        first = True
        try:
            while not self._stop.is_set():
                # An event at once, then a ping each 15 seconds.
                if not answer.read1(65536):
                    self.ended.append("ended")
                    return
                self.events += 1
                if first:
                    first = False
                    self._ready.release()
        except OSError as error:
            self.ended.append(str(error))
        finally:
            connection.close()
