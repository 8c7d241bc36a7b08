# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a build or a download failed, by what npm, uv, pip, Git and Alembic say of themselves: one table.

The rows are tried from the top. npm names its reason by a code, which counts before all words: its output
holds words of other programs, and sometimes pages of its own usage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from .obstacles import NPM_REASON, SYSTEM, Obstacle, Reason, any_of, mounted_noexec, own_words, reason_of

NETWORK = (
    "Check that this host reaches the registry, and mission_control_download_environment if a proxy or"
    " another registry is needed."
)
TRUST = (
    "Set SSL_CERT_FILE and NODE_EXTRA_CA_CERTS (for Git, GIT_SSL_CAINFO) in"
    " mission_control_download_environment to a file on this host that holds the certificate of the"
    " authority which signed that server's."
)
CLOCK = "Correct the host's clock (timedatectl) if it is wrong; otherwise that certificate has to be renewed."
LOGIN = (
    "Name a login that the registry accepts, in the address in mission_control_download_environment"
    " (PIP_INDEX_URL, UV_DEFAULT_INDEX, npm_config_registry) or in mission_control_source."
)
PROXY = "Correct the proxy in mission_control_download_environment (http_proxy, https_proxy), with its login."
LATER = "Run it again later: what is done already is kept."
LOCK_FILE = (
    "The source's own package.json and package-lock.json contradict each other: run npm install in its"
    " frontend directory, commit the lock file, and deploy that revision; or choose another one"
    " (mission_control_revision)."
)
VERSION = (
    "Correct the version, or name a registry that has it (mission_control_download_environment:"
    " PIP_INDEX_URL, UV_DEFAULT_INDEX, npm_config_registry)."
)
DAMAGED = (
    "What arrived is not what the lock file names: see whether a proxy or a mirror alters it"
    " (mission_control_download_environment), and run it again."
)
_NOT_REACHED = "This host does not reach what it has to download"

TABLE: tuple[Obstacle, ...] = (
    # Before what the system denies.
    Obstacle(
        "ssh_login",
        re.compile(
            r"Permission denied \((?:publickey|password|keyboard-interactive)|Host key verification failed"
        ),
        says="The server of the source does not let the application's user in by ssh",
        cure="Give that user a key which the server accepts and the server's key in ~/.ssh/known_hosts, or"
        " name an https address with a login in mission_control_source.",
    ),
    *SYSTEM,
    Obstacle(
        "proxy",
        any_of(
            r"proxy auth\w* required|CONNECT tunnel failed|Tunnel connection failed|tunnel error"
            r"|Cannot connect to proxy|tunneling socket could not be established|\bE407\b"
            r"|(?:Could not resolve|Failed to connect to) proxy"
        ),
        says="The proxy refuses it",
        cure=PROXY,
        codes=("E407",),
    ),
    Obstacle(
        "certificate_time",
        any_of(
            r"certificate has expired|CERT_HAS_EXPIRED|not yet valid|CERT_NOT_YET_VALID"
            r"|peer certificate: Expired"
        ),
        says="The certificate of the server is not valid at this time",
        cure=CLOCK,
        codes=("CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"),
    ),
    # As uv, npm, pip, Git and Python say it.
    Obstacle(
        "trust",
        any_of(
            r"invalid peer certificate|UnknownIssuer|self[-_ ]signed[-_ ]cert|SSL certificate problem",
            r"certificate verif(?:y|ication) failed|CERTIFICATE_VERIFY_FAILED",
            r"UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)|ERR_TLS_CERT_ALTNAME_INVALID",
            r"unable to (?:get (?:local )?issuer certificate|verify the first certificate)",
        ),
        says="This host does not trust the server that it has to download from",
        cure=TRUST,
        codes=(
            "SELF_SIGNED_CERT_IN_CHAIN",
            "DEPTH_ZERO_SELF_SIGNED_CERT",
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
            "ERR_TLS_CERT_ALTNAME_INVALID",
        ),
        otherwise=NETWORK,
    ),
    Obstacle(
        "name",
        any_of(
            r"failed to lookup address|could not resolve|name resolution|Name or service not known"
            r"|\bENOTFOUND\b|\bEAI_AGAIN\b"
        ),
        says=_NOT_REACHED,
        codes=("ENOTFOUND", "EAI_AGAIN"),
        otherwise=NETWORK,
    ),
    Obstacle(
        "timeout",
        any_of(
            r"connection timed out|operation timed out|read timed out|network timeout|\bETIMEDOUT\b"
            r"|ERR_SOCKET_TIMEOUT"
        ),
        says=_NOT_REACHED,
        codes=("ETIMEDOUT", "ERR_SOCKET_TIMEOUT"),
        otherwise=NETWORK,
    ),
    Obstacle(
        "login",
        any_of(
            r"\b401 (?:Client Error|Unauthorized)|client error \(40[13]\b|\b403 (?:Client Error|Forbidden)"
            r"|returned error: 40[13]\b|HTTP error 40[13]\b|\bE40[13]\b|Authentication failed for"
        ),
        says="The server does not accept the login, or wants one",
        cure=LOGIN,
        codes=("E401", "E403", "ENEEDAUTH"),
    ),
    Obstacle(
        "server",
        any_of(
            r"server error \(5\d\d\b|\b50[0234] (?:Server Error|Bad Gateway|Service Unavailable|Gateway)"
            r"|returned error: 5\d\d\b|HTTP error 5\d\d\b|Too Many Requests|client error \(429\b"
            r"|\bE(?:429|5\d\d)\b"
        ),
        says="The server that it has to download from is in trouble, or has been asked too often",
        cure=LATER,
        codes=("E429", "E500", "E502", "E503", "E504"),
    ),
    Obstacle(
        "network",
        any_of(
            r"network is unreachable|failed to connect to|no route to host|connection (?:refused|reset)"
            r"|error sending request|\b(?:ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|FETCH_ERROR)\b"
        ),
        says=_NOT_REACHED,
        codes=("ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "EHOSTUNREACH", "FETCH_ERROR"),
        otherwise=NETWORK,
    ),
    Obstacle(
        "lock_file",
        any_of(r"can only install packages when your package\.json and package-lock"),
        says="The frontend's lock file is out of step with its package.json",
        cure=LOCK_FILE,
        codes=("EUSAGE",),
    ),
    Obstacle(
        "damaged",
        any_of(r"Hash mismatch for|DO NOT MATCH THE HASHES|integrity checksum failed|\bEINTEGRITY\b"),
        says="A package is not the one that was locked",
        cure=DAMAGED,
        codes=("EINTEGRITY",),
    ),
    Obstacle(
        "engine",
        any_of(r"\bEBADENGINE\b"),
        says="A package wants another version of Node.js",
        cure="Set frontend_node_version (of the gateway: gateway_node_version) to one that it takes.",
        codes=("EBADENGINE",),
    ),
    Obstacle(
        "lock_format",
        any_of(r"Failed to parse `?uv\.lock|\bEJSONPARSE\b"),
        says="A lock file or a package's description cannot be read",
        cure="Correct it in the source, or choose another revision (mission_control_revision).",
        codes=("EJSONPARSE",),
    ),
    Obstacle(
        "unknown_package",
        re.compile(r"\(from versions: none\)"),
        says="The registry offers no version of it: it does not know it, wants a login or does not answer",
        cure=NETWORK,
    ),
    Obstacle(
        "not_there",
        any_of(
            r"client error \(404\b|returned error: 404\b|HTTP error 404\b|\b404 (?:Client Error|Not Found)"
            r"|No matching distribution found|not found in the package registry|there is no version of "
            r"|No matching version found|couldn't find remote ref|repository .* not found"
        ),
        says="The server does not have it",
        cure=VERSION,
        codes=("E404", "ETARGET"),
    ),
)
_BY_NAME = {row.name: row for row in TABLE}
_NPM_CODE = re.compile(r"^npm (?:error|ERR!) code (\w+)")
# uv tells an error from the outside to the inside: the last of these lines is the reason.
_CAUSE = re.compile(r"(?i)^\s*(?:caused by|cause): *")


def explain(output: Iterable[str], noexec: Callable[[str], bool] = mounted_noexec) -> Reason:
    """Why a build or a download failed whose whole output this is."""
    lines = [line.rstrip() for line in output]
    for at, line in enumerate(lines):
        if code := _NPM_CODE.match(line):
            row = next((row for row in TABLE if code[1] in row.codes), None)
            if row is not None:
                telling = _npm_line(row, lines, at)
                return reason_of(row, lines[telling], telling, noexec)
    for row in TABLE:
        found = [at for at, line in enumerate(lines) if row.pattern.search(line)]
        if found:
            last = found[-1]
            while last + 1 < len(lines) and _CAUSE.match(lines[last + 1]):
                last += 1
            # Of several causes the innermost one tells what it is.
            inner = _BY_NAME["trust"] if distrusts(lines[last]) else row
            return reason_of(inner, _CAUSE.sub("", lines[last]), last, noexec)
    return own_words(lines)


def _npm_line(row: Obstacle, lines: Sequence[str], code: int) -> int:
    """The line that tells more than the code."""
    after = [at for at in range(code + 1, len(lines)) if NPM_REASON.match(lines[at])]
    if row.name == "lock_file":
        after = [at for at in after if re.search(r" (?:Missing|Invalid): ", lines[at])]
    words = [at for at in after if row.pattern.search(lines[at])]
    return next(iter(words or after), code)


def distrusts(said: str) -> bool:
    """Whether a certificate was refused because nobody here knows who signed it."""
    return _BY_NAME["trust"].pattern.search(said) is not None
