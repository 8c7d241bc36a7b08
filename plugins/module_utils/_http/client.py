# SPDX-License-Identifier: GPL-3.0-or-later
"""One pool of connections for all checks of a run."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from .._host.libraries import MissingLibraryError
from .._redaction import Redactor
from .answer import Answer
from .connection import Timed, Trace, current
from .failure import Failure, classify, load_requests
from .origin import origin_key

MAX_BODY = 16 * 1024 * 1024
CHUNK = 65536
# From one answer to the last; the URL that is asked next has the same origin, or not.
Then = Callable[[Answer, Callable[[str, bool], Answer]], Answer]


class Client:
    """One pool of connections for all checks of a run."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        users: Collection[str] = (),
        timeout: float = 10.0,
        verify: bool | str = True,
        pool: int = 32,
        redactor: Redactor | None = None,
        max_body: int = MAX_BODY,
        limit: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url.rstrip("/")
        self.redactor = redactor or Redactor([token])
        self.timeout = timeout
        self.limit = limit
        self.requests_sent = 0
        self._token = token
        # To whom the token may be sent on this host, besides root; anybody where none is named.
        self._users = users
        self._verify = verify
        self._pool = pool
        self._max_body = max_body
        self._monotonic = monotonic
        self._adapter: Any = None
        self._lock = threading.Lock()
        # Origins that let a request run into its time limit and have not answered any since.
        self._silent: set[tuple[str, str | None, int | None]] = set()

    @property
    def has_token(self) -> bool:
        """Whether requests carry a token."""
        return bool(self._token)

    def prepare(self) -> None:
        """Import what is needed before threads wait for one another's imports."""
        with self._lock:
            if self._adapter is None:
                self._adapter = self._make_adapter()

    def _make_adapter(self) -> Any:
        requests = load_requests()
        from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
        from urllib3.connection import HTTPConnection, HTTPSConnection

        plain = type("TimedHTTPConnection", (Timed, HTTPConnection), {})
        secure = type("TimedHTTPSConnection", (Timed, HTTPSConnection), {})
        pools = {
            "http": type("TimedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("TimedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        adapter = requests.adapters.HTTPAdapter(pool_connections=8, pool_maxsize=self._pool, max_retries=0)
        adapter.poolmanager.pool_classes_by_scheme = pools
        if self._verify is False:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return adapter

    def forget(self) -> None:
        """Give those that were silent their full time again, for the next attempt."""
        self._silent.clear()

    def get(self, path: str, **options: Any) -> Answer:
        """A GET request, by default with the token."""
        return self.request("GET", path, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        then: Then | None = None,
        timeout: float | None = None,
        max_body: int | None = None,
    ) -> Answer:
        """Ask for a path below the URL, or for a whole URL. No token goes to another origin.

        :param then: what else is asked for, in the same time, because of the answer: see redirects.
        """
        url = path if "://" in path else self.url + path
        if parameters:
            url += ("&" if "?" in url else "?") + urlencode(
                {name: value for name, value in parameters.items() if value is not None}
            )
        sent = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "mission-control-verify"}
        sent.update(headers or {})
        credential = self._token if token is None else token
        if credential and (token is not None or origin_key(url) == origin_key(self.url)):
            sent["Authorization"] = f"Bearer {credential}"
        limit = timeout or self.timeout
        if origin_key(url) in self._silent:
            # It did not answer the whole time just now. A chain of requests must not wait for each anew.
            limit = min(limit, max(1.0, limit / 10))
        until = self._monotonic() + limit
        if self.limit is not None:
            until = min(until, max(self.limit, self._monotonic() + 0.05))
        answer = self._send(method, url, sent, until, max_body or self._max_body)
        if then is not None:

            def again(target: str, same_origin: bool) -> Answer:
                if not same_origin:
                    sent.pop("Authorization", None)
                return self._send(method, target, sent, until, max_body or self._max_body)

            answer = then(answer, again)
        if answer.failure and answer.failure.kind in ("timeout", "connect_timeout"):
            self._silent.add(origin_key(url))
        elif not answer.failure:
            self._silent.discard(origin_key(url))
        return answer

    def _send(self, method: str, url: str, headers: dict[str, str], until: float, max_body: int) -> Answer:
        answer = self._once(method, url, headers, until, max_body)
        if answer.failure and answer.failure.kind == "reset" and current.trace.reused:
            # The server closed an idle connection just when it was used again: that is nobody's fault.
            answer = self._once(method, url, headers, until, max_body)
        return answer

    def _once(self, method: str, url: str, headers: dict[str, str], until: float, max_body: int) -> Answer:
        self.prepare()
        requests = load_requests()
        answer = Answer(method, url)
        trace = current.trace = Trace(until, self._users if "Authorization" in headers else ())
        started = trace.started
        timer = threading.Timer(max(0.0, until - started), trace.cut)
        timer.daemon = True
        response = None
        try:
            prepared = requests.Request(method, url, headers=headers).prepare()
            self.requests_sent += 1
            timer.start()
            left = trace.left()
            response = self._adapter.send(
                prepared, stream=True, timeout=(left, left), verify=self._verify, proxies={}
            )
            trace.timings["first_byte"] = (time.monotonic() - started) * 1000 - sum(trace.timings.values())
            trace.phase = "transfer"
            answer.status = response.status_code
            answer.headers = {name.lower(): value for name, value in response.headers.items()}
            received = time.monotonic()
            answer.body = self._read(response, answer, max_body)
            trace.timings["transfer"] = (time.monotonic() - received) * 1000
            if trace.expired and not answer.failure:
                answer.failure = classify(TimeoutError(), trace.phase, True)
        except MissingLibraryError:
            raise
        except Exception as error:
            answer.failure = classify(error, trace.phase, trace.expired)
        finally:
            timer.cancel()
            if response is not None:
                # A half-read answer must not be handed to the next request.
                if answer.failure:
                    response.raw.close()
                else:
                    response.raw.release_conn()
        trace.timings["total"] = (time.monotonic() - started) * 1000
        answer.timings = trace.timings
        answer.certificate = trace.certificate
        return answer

    @staticmethod
    def _read(response: Any, answer: Answer, max_body: int) -> bytes:
        encoding = answer.header("content-encoding").lower()
        inflate = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None
        parts: list[bytes] = []
        size = 0
        while True:
            piece = response.raw.read(CHUNK, decode_content=False)
            if not piece:
                break
            if inflate is not None:
                piece = inflate.decompress(piece, max_body - size + 1)
            size += len(piece)
            parts.append(piece)
            if size > max_body:
                answer.failure = Failure("too_large", f"more than {max_body} bytes")
                break
        body = b"".join(parts)[:max_body]
        length = answer.header("content-length")
        if (
            not answer.failure
            and inflate is None
            and length.isdigit()
            and answer.method != "HEAD"
            and len(body) < int(length)
            and answer.status not in (204, 304)
        ):
            answer.failure = Failure("incomplete", f"{len(body)} of {length} bytes")
        return body
