# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""HTTP for checks: pooled connections, timed phases, bounded in time and size, errors with a name.

Redirects, proxies of the environment, netrc and cookies are left out: a check must see what stands there.
`requests` and TLS are imported on first use, so that checks without HTTP do not need them.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from ._host.addresses import in_url
from ._redaction import Redactor

MAX_BODY = 16 * 1024 * 1024
CHUNK = 65536


class MissingLibraryError(Exception):
    """A Python library that a check needs is not installed where it runs."""

    def __init__(self, library: str, package: str) -> None:
        super().__init__(f"the Python library {library} is missing")
        self.library = library
        self.package = package


@dataclass(frozen=True)
class Failure:
    """Why there is no usable answer. `kind` is one of the keys of REASONS."""

    kind: str
    message: str


# What the kinds of failure mean to an operator: cause and remedy, with the address filled in.
REASONS: dict[str, tuple[str, str]] = {
    "dns": (
        "The name {host} cannot be resolved from {where}.",
        "Correct the host name in {variable}, or add it to DNS or /etc/hosts on {where}.",
    ),
    "refused": (
        "Nothing listens on {host} port {port}: the service is down or bound to another address.",
        "Look at the unit ({unit}) and start it; compare its port and bind address with {variable}.",
    ),
    "unreachable": (
        "There is no route to {host} port {port}, or a firewall rejects it.",
        "Check routes and firewall between {where} and {host}, and the address in {variable}.",
    ),
    "connect_timeout": (
        "{host} port {port} does not take connections: a firewall drops them or the process hangs.",
        "Check the firewall; if the port is local, restart the service: {unit}.",
    ),
    "timeout": (
        "{host} port {port} takes connections but did not answer in time: it hangs or is overloaded.",
        "Look at the journal and the load, then restart the service: {unit}. "
        "If it is just slow, raise `timeout`.",
    ),
    "reset": (
        "{host} port {port} closed the connection without an answer: it died or is no web server.",
        "Look at the journal of the service: {unit}; check that {variable} names the right port.",
    ),
    "incomplete": (
        "The answer of {host} port {port} broke off before its end.",
        "Look at the journal of the service ({unit}) and of any proxy in front of it.",
    ),
    "not_http": (
        "What listens on {host} port {port} does not speak HTTP{maybe_tls}.",
        "Check that {variable} names the right scheme and port, and who holds the port (`ss -ltnp`).",
    ),
    "too_large": (
        "The answer of {host} is larger than a check reads.",
        "See what answers on {variable}; it is hardly Mission Control.",
    ),
    "tls_expired": (
        "The certificate of {host} has expired.",
        "Renew the certificate and reload the server that presents it.",
    ),
    "tls_not_yet_valid": (
        "The certificate of {host} is not valid yet, or the clock of {where} is behind.",
        "Check the clock (`timedatectl`) and the certificate's dates.",
    ),
    "tls_untrusted": (
        "The certificate of {host} is not signed by an authority that {where} trusts.",
        "Install the authority on {where} or name its file in `ca_path`.",
    ),
    "tls_hostname": (
        "The certificate of {host} is made out for another name.",
        "Use the certificate's name in {variable}, or issue a certificate for {host}.",
    ),
    "tls": (
        "TLS with {host} port {port} failed.",
        "Check that {variable} has the right scheme and port and that the server's TLS settings are current.",
    ),
    "redirect_loop": (
        "{host} redirects in a circle.",
        "Correct the redirects of the proxy in front of Mission Control.",
    ),
    "failed": (
        "The request to {host} port {port} failed.",
        "Look at the evidence, the journal of the service ({unit}) and the network.",
    ),
}


@dataclass
class Answer:
    """What came back, or why nothing did."""

    method: str
    url: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    timings: dict[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    certificate: dict[str, Any] | None = None
    hops: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether an answer of the 200 family came back whole."""
        return self.failure is None and 200 <= self.status < 300

    @property
    def duration_ms(self) -> float:
        """All phases together."""
        return self.timings.get("total", 0.0)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none."""
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """A header by its name in any case."""
        return self.headers.get(name.lower(), "")

    def where(self) -> dict[str, Any]:
        """Host, port and scheme for messages."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return {"host": parts.hostname or "?", "port": port, "scheme": parts.scheme}

    def evidence(self, redactor: Redactor, sample: int = 300) -> dict[str, Any]:
        """What a report may show of it."""
        found: dict[str, Any] = {"request": f"{self.method} {redactor.text(self.url)}"}
        if self.failure:
            found["error"] = redactor.text(self.failure.message)
        if self.status:
            found["status"] = self.status
            found["content_type"] = self.header("content-type")
            # Cut after the redaction, else the cut could leave a piece of a secret that is no longer known.
            body = redactor.text(self.body[: sample * 20].decode("utf-8", "replace"))
            found["body"] = body if len(body) <= sample else body[:sample] + "…"
        for name in ("location", "retry-after", "x-request-id"):
            if self.header(name):
                found[name.replace("-", "_")] = redactor.text(self.header(name))
        found["timings_ms"] = {name: round(value, 1) for name, value in self.timings.items()}
        return found


class _Trace:
    """What happens to one request while `requests` has it: phases, the socket to cut, the first error."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.started = time.monotonic()
        self.timings: dict[str, float] = {}
        self.socket: Any = None
        self.error: BaseException | None = None
        self.expired = False
        self.reused = True
        self.phase = "request"
        self.certificate: dict[str, Any] | None = None

    def left(self) -> float:
        return max(0.001, self.deadline - time.monotonic())

    def cut(self) -> None:
        """End the request at its deadline, however slowly its bytes drip in."""
        self.expired = True
        if self.socket is not None:
            # The plain socket's method: that of a TLS socket would pull the rug from under a reader.
            with contextlib.suppress(OSError, TypeError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


_current = threading.local()


class _Timed:
    """Mixed into urllib3's connections: measures resolving, connecting and TLS apart."""

    host: str
    port: int
    sock: Any

    def _new_conn(self) -> socket.socket:
        trace: _Trace = _current.trace
        trace.reused = False
        started = time.monotonic()
        trace.phase = "resolve"
        host = str(getattr(self, "_dns_host", self.host)).strip("[]")
        try:
            found = socket.getaddrinfo(host, self.port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            trace.error = error
            raise OSError(str(error)) from error
        resolved = time.monotonic()
        trace.timings["resolve"] = (resolved - started) * 1000
        trace.phase = "connect"
        last: OSError = OSError(f"no address for {host}")
        for family, kind, protocol, _name, address in found:
            trial = socket.socket(family, kind, protocol)
            trace.socket = trial
            try:
                trial.settimeout(trace.left())
                trial.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                trial.connect(address)
            except OSError as error:
                trial.close()
                last = error
                if trace.expired:
                    break
                continue
            trace.timings["connect"] = (time.monotonic() - resolved) * 1000
            trace.phase = "tls"
            return trial
        trace.error = last
        raise last

    def connect(self) -> None:
        trace: _Trace = _current.trace
        try:
            super().connect()  # type: ignore[misc]
        except BaseException as error:
            trace.error = trace.error or error
            raise
        trace.socket = self.sock
        # Only a TLS socket knows of certificates.
        if hasattr(self.sock, "getpeercert"):
            before = trace.timings.get("resolve", 0) + trace.timings.get("connect", 0)
            trace.timings["tls"] = (time.monotonic() - trace.started) * 1000 - before
            trace.certificate = dict(self.sock.getpeercert() or {})
        trace.phase = "request"

    def putrequest(self, *arguments: Any, **keywords: Any) -> Any:
        trace: _Trace = _current.trace
        if self.sock is not None:
            trace.socket = self.sock
        return super().putrequest(*arguments, **keywords)  # type: ignore[misc]


def _root(error: BaseException | None) -> list[BaseException]:
    """The error and everything it was made from."""
    chain: list[BaseException] = []
    queue: list[Any] = [error]
    while queue:
        item = queue.pop(0)
        # An SSLError's reason is a word, urllib3's is an exception.
        if not isinstance(item, BaseException) or item in chain:
            continue
        chain.append(item)
        queue += [item.__cause__, item.__context__, getattr(item, "reason", None)]
        queue += [argument for argument in item.args if isinstance(argument, BaseException)]
    return chain


def classify(error: BaseException, phase: str = "", expired: bool = False) -> Failure:
    """A name for whatever `requests`, urllib3, http.client, ssl or the system threw."""
    # Loaded with `requests` anyway; checks without HTTP do without.
    import ssl

    chain = _root(error)
    # The innermost message is the plain one; the outer ones repeat it in brackets of brackets.
    message = next((str(item) for item in reversed(chain) if str(item)), type(error).__name__)
    names = {type(item).__name__ for item in chain}
    if expired or any(isinstance(item, TimeoutError) for item in chain):
        if phase in ("resolve", "connect"):
            return Failure("connect_timeout", "no connection within the time limit")
        return Failure("timeout", f"no complete answer within the time limit (while: {phase or 'request'})")
    if any(isinstance(item, socket.gaierror) for item in chain) or "UnicodeError" in names:
        return Failure("dns", message)
    for item in chain:
        if isinstance(item, ssl.SSLCertVerificationError):
            text = item.verify_message or str(item)
            if item.verify_code == 10:
                return Failure("tls_expired", text)
            if item.verify_code == 9:
                return Failure("tls_not_yet_valid", text)
            if item.verify_code in (62, 64) or "match" in text:
                return Failure("tls_hostname", text)
            return Failure("tls_untrusted", text)
    for item in chain:
        if isinstance(item, ssl.SSLError):
            if "WRONG_VERSION_NUMBER" in str(item) or "HTTP_REQUEST" in str(item):
                return Failure("not_http", f"no TLS there: {item.reason or item}")
            return Failure("tls", str(item.reason or item))
    if any(isinstance(item, ConnectionRefusedError) for item in chain):
        return Failure("refused", "connection refused")
    if names & {"BadStatusLine", "LineTooLong", "UnknownProtocol", "InvalidHeader"} and not (
        names & {"RemoteDisconnected"}
    ):
        return Failure("not_http", message)
    if names & {"IncompleteRead", "InvalidChunkLength"}:
        return Failure("incomplete", "the answer broke off")
    if names & {"RemoteDisconnected", "ConnectionResetError", "BrokenPipeError"} or any(
        isinstance(item, (ConnectionResetError, BrokenPipeError)) for item in chain
    ):
        return Failure("reset", "the connection was closed without an answer")
    if any(isinstance(item, OSError) and item.errno in (101, 113, 99) for item in chain):
        return Failure("unreachable", message)
    return Failure("failed", message)


def load_requests() -> Any:
    """The library, or one clear message."""
    try:
        import requests
    except ImportError as error:
        raise MissingLibraryError("requests", "python3-requests") from error
    return requests


class Client:
    """One pool of connections for all checks of a run."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
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

        plain = type("TimedHTTPConnection", (_Timed, HTTPConnection), {})
        secure = type("TimedHTTPSConnection", (_Timed, HTTPSConnection), {})
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
        follow: int = 0,
        timeout: float | None = None,
        max_body: int | None = None,
    ) -> Answer:
        """Ask for a path below the URL, or for a whole URL. No token goes to another origin."""
        url = path if "://" in path else self.url + path
        if parameters:
            url += ("&" if "?" in url else "?") + urlencode(
                {name: value for name, value in parameters.items() if value is not None}
            )
        sent = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "mission-control-verify"}
        sent.update(headers or {})
        credential = self._token if token is None else token
        if credential and (token is not None or _origin(url) == _origin(self.url)):
            sent["Authorization"] = f"Bearer {credential}"
        limit = timeout or self.timeout
        if _origin(url) in self._silent:
            # It did not answer the whole time just now. A chain of requests must not wait for each anew.
            limit = min(limit, max(1.0, limit / 10))
        until = self._monotonic() + limit
        if self.limit is not None:
            until = min(until, max(self.limit, self._monotonic() + 0.05))
        answer = self._send(method, url, sent, until, max_body or self._max_body)
        hops: list[str] = []
        while follow and answer.status in (301, 302, 303, 307, 308) and answer.header("location"):
            target = urljoin(answer.url, answer.header("location"))
            if len(hops) >= follow or target in hops:
                answer.failure = Failure("redirect_loop", f"more than {len(hops)} redirects")
                break
            if urlsplit(target).hostname != urlsplit(url).hostname:
                # Who answers must not choose whom we ask next: the answer stays what it is, a redirection.
                break
            hops.append(target)
            if _origin(target) != _origin(answer.url):
                sent.pop("Authorization", None)
            answer = self._send(method, target, sent, until, max_body or self._max_body)
        answer.hops = tuple(hops)
        if answer.failure and answer.failure.kind in ("timeout", "connect_timeout"):
            self._silent.add(_origin(url))
        elif not answer.failure:
            self._silent.discard(_origin(url))
        return answer

    def _send(self, method: str, url: str, headers: dict[str, str], until: float, max_body: int) -> Answer:
        answer = self._once(method, url, headers, until, max_body)
        if answer.failure and answer.failure.kind == "reset" and _current.trace.reused:
            # The server closed an idle connection just when it was used again: that is nobody's fault.
            answer = self._once(method, url, headers, until, max_body)
        return answer

    def _once(self, method: str, url: str, headers: dict[str, str], until: float, max_body: int) -> Answer:
        self.prepare()
        requests = load_requests()
        answer = Answer(method, url)
        trace = _current.trace = _Trace(until)
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


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def origin_of(url: str) -> str:
    """The origin as a browser writes it: scheme, host, and the port unless it is the scheme's own."""
    parts = urlsplit(url)
    host = in_url(parts.hostname or "")
    own = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port and parts.port != own else ""
    return f"{parts.scheme}://{host}{port}"
