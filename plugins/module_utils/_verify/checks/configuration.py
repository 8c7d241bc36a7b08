# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs against what is deployed: settings, headers, addresses, and the versions that must fit."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..._application.gateway_support import support_of
from ..._application.settings import BACKEND_SETTINGS
from ..._cures import CLOSE_SETTINGS, DEPLOYMENT, restart
from ..._gateway.protocol import BACKEND_PROTOCOLS, Finding, check_pair
from ..._host.environment_lines import odd_line
from ..._host.errors import HostError
from ..._host.proc_files import started, stat_fields
from ..._host.process_environment import environment_differences, read_environment
from ..._host.proxies import proxy_of, sent_to_proxy
from ..._host.systemd import UserManager, main_pid
from ..._host.unit_names import unit_name
from ..._host.user_file_status import status_of
from ..._http.browser_origin import origin_of
from ..deployed import require_deployed
from ..device_identity import judge_identity
from ..http_context import HttpContext, OverHttp
from ..release_files import judge_release
from ..verdict import ERROR, FAIL, PASS, SKIP, WARN, Verdict, combine
from . import frontend_build

HEADERS = {
    "SECURITY_HEADER_X_CONTENT_TYPE_OPTIONS": "x-content-type-options",
    "SECURITY_HEADER_X_FRAME_OPTIONS": "x-frame-options",
    "SECURITY_HEADER_REFERRER_POLICY": "referrer-policy",
}


def judge_names(environment: Mapping[str, str], known: Collection[str]) -> Verdict:
    """Names that look like a setting of the product and are none: it ignores them silently."""
    wrong = {}
    for name in environment:
        if name in known or name.upper() in known:
            continue
        near = difflib.get_close_matches(name.upper(), known, 1, 0.85)
        if near:
            wrong[name] = near[0]
    if wrong:
        text = ", ".join(f"{name} (meant was {right}?)" for name, right in wrong.items())
        return Verdict(
            "names",
            WARN,
            f"settings that the product does not know: {text}",
            cause="A setting is misspelt. The product ignores it and works with its default.",
            remedy="Correct the name in mission_control_backend_environment or "
            "mission_control_additional_environment "
            "and deploy again.",
            kind="setting_misspelt",
            cure=DEPLOYMENT,
            evidence={"misspelt": wrong},
        )
    return Verdict("names", summary=f"{len(environment)} settings, none misspelt")


def judge_lines(path: str, text: str) -> Verdict:
    """Whether the environment file can be read line by line, as systemd and the product do."""
    found = odd_line(text)
    if found is None:
        return Verdict("lines", summary="each line is a setting")
    number, name, what = found
    which = f"line {number}" + (f" ({name})" if name else "")
    return Verdict(
        "lines",
        FAIL,
        f"{which} of the environment file {what}",
        cause=f"{path} was edited by hand, or cut off: {which} {what}. What the services read is not what "
        "was deployed.",
        remedy="Deploy again: the file is written anew, and the services are restarted with it. Or correct "
        f"{which} in {path} and restart: mission-control restart",
        kind="env_file_garbled",
        cure=DEPLOYMENT,
        evidence={"path": path, "line": number, "name": name},
    )


def judge_mode(path: str, mode: int) -> Verdict:
    """Who may read the file with the secrets."""
    evidence = {"path": path, "mode": f"{mode:04o}"}
    if not mode & 0o077:
        return Verdict("env_file", summary="only its owner reads the environment file", evidence=evidence)
    return Verdict(
        "env_file",
        FAIL if mode & 0o007 else WARN,
        f"the environment file has mode {mode:04o}",
        cause=f"{'Every user' if mode & 0o007 else 'The group'} of this host may read {path}, which holds "
        "the token and the passwords.",
        remedy=f"chmod 600 {shlex.quote(path)}, and if others use this host, deploy again with a new "
        "mission_control_token.",
        kind="env_file_readable",
        cure=CLOSE_SETTINGS,
        evidence=evidence,
    )


def judge_headers(environment: Mapping[str, str], sent: Mapping[str, str]) -> Verdict:
    """Security headers that were blanked, as copying the product's example file does."""
    blank = [name for name in HEADERS if name in environment and not environment[name].strip()]
    lacking = [header for header in HEADERS.values() if not sent.get(header)]
    evidence = {"blanked": blank, "not_sent": lacking}
    if blank or lacking:
        return Verdict(
            "headers",
            WARN,
            f"security headers are off: {', '.join(lacking or [HEADERS[name] for name in blank])}",
            cause="They are set to nothing in the environment file: its example has them blank."
            if blank
            else "The backend does not send them, or a proxy removes them.",
            remedy="Remove the blank SECURITY_HEADER_ settings from mission_control_backend_environment and "
            "deploy again."
            if blank
            else "Let the proxy pass them on.",
            kind="header_blanked",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    return Verdict("headers", summary="security headers are sent", evidence=evidence)


def judge_origins(environment: Mapping[str, str], public_url: str) -> Verdict:
    """CORS_ORIGINS against the address of the user interface."""
    origins = [origin.strip() for origin in environment.get("CORS_ORIGINS", "").split(",") if origin.strip()]
    evidence = {"cors_origins": origins, "public_url": public_url}
    remedy = "Set mission_control_cors_origins to the origins of the user interface and deploy again."
    if "*" in origins:
        return Verdict(
            "cors_origins",
            FAIL,
            "CORS_ORIGINS allows every origin",
            cause="CORS_ORIGINS contains *, so any site may use the API in its visitors' name.",
            remedy=remedy,
            kind="cors_misconfigured",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    bad = [origin for origin in origins if origin_of(origin) != origin]
    if bad:
        return Verdict(
            "cors_origins",
            FAIL,
            f"CORS_ORIGINS has an entry that is not a valid origin: {', '.join(bad)}",
            cause="An origin is scheme, host and port, without path or slash at its end; anything else never "
            "matches.",
            remedy=remedy,
            kind="cors_misconfigured",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    if not public_url:
        return Verdict("cors_origins", SKIP, "no public_url to compare with", evidence=evidence)
    if origin_of(public_url) not in origins:
        return Verdict(
            "cors_origins",
            FAIL,
            f"CORS_ORIGINS lacks {origin_of(public_url)}",
            cause=f"CORS_ORIGINS is {', '.join(origins) or 'empty'}; the user interface is at "
            f"{origin_of(public_url)}.",
            remedy=remedy,
            kind="cors_misconfigured",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    return Verdict(
        "cors_origins", summary="CORS_ORIGINS holds the user interface's origin", evidence=evidence
    )


def judge_environment(
    unit: str, differing: Sequence[str] | None, changed_after_start: bool | None
) -> Verdict:
    """Whether the process was started with the environment file that is deployed."""
    name = f"environment {unit}"
    if differing is None:
        return Verdict(
            name,
            ERROR,
            "the environment of the process cannot be read",
            cause="It belongs to another user, or the process ended just now.",
            remedy="Run the check as root (become: true) or as the application's user.",
            kind="not_permitted",
        )
    if differing or changed_after_start:
        read = f"systemctl --user restart {unit}"
        what = ", ".join(differing[:5]) if differing else "the file is newer than the process"
        return Verdict(
            name,
            FAIL,
            f"runs with other settings than those deployed: {what}",
            cause="The environment file was changed after the process was started.",
            remedy=(
                "Deploy again: the file becomes what the inventory says, and the services read it. Or, where "
                f"the change is meant, have it read: {read}"
                if differing
                else read
            ),
            kind="stale_environment",
            # A service that runs is not restarted with settings that nobody has tried.
            cure=DEPLOYMENT if differing else restart(unit),
            evidence={"differing": list(differing)},
        )
    return Verdict(name, summary="runs with the deployed settings")


def judge_proxy(unit: str, environment: Mapping[str, str]) -> Verdict:
    """Whether a process asks a proxy for what is on its own host."""
    name, sent = f"proxy {unit}", sent_to_proxy(environment)
    evidence = {"unit": unit, "proxy": proxy_of(environment), "sent_to_proxy": sent}
    if not sent:
        return Verdict(name, summary="what is local is asked directly", evidence=evidence)
    return Verdict(
        name,
        FAIL,
        f"{evidence['proxy']} is set, and no_proxy lacks {', '.join(sent)}",
        cause="The host's environment (/etc/environment, or that of the user's manager) names a proxy, and"
        " the process asks it for this host's own services, such as the gateway, which it cannot reach.",
        remedy=f"Deploy again: the units keep what is local from a proxy. Or add {','.join(sent)} to no_proxy"
        f" there and run systemctl --user restart {unit}.",
        kind="local_proxy",
        cure=DEPLOYMENT,
        evidence=evidence,
    )


def judge_api_url(baked: str | None, page: str, expected: str) -> Verdict:
    """The address built into the frontend against the one deployed."""
    verdict = frontend_build.judge_api_url(baked, page, expected)
    verdict.name = "api_url"
    if verdict.kind == "api_url_unknown":
        return Verdict("api_url", SKIP, verdict.summary)
    return verdict


def judge_base_url(environment: Mapping[str, str], api_url: str) -> Verdict:
    """BASE_URL, where agents call back, against the API's address."""
    base = environment.get("BASE_URL", "").rstrip("/")
    evidence = {"base_url": base, "api_url": api_url}
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return Verdict(
            "base_url",
            FAIL,
            f"BASE_URL is not a valid address: {base or 'empty'}",
            cause="Agents call the API at BASE_URL; it must be an absolute http(s) address that they reach.",
            remedy="Set mission_control_api_url and deploy again.",
            kind="base_url",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    if api_url and base != api_url.rstrip("/"):
        return Verdict(
            "base_url",
            WARN,
            f"BASE_URL is {base}, the API's address is {api_url}",
            cause="Agents and gateways call back at another address than the one that browsers use.",
            remedy="Set mission_control_api_url and deploy again; if the difference is meant, set api_url of "
            "this check.",
            kind="base_url",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    return Verdict("base_url", summary=f"BASE_URL is {base}", evidence=evidence)


def judge_gateway_version(version: str, found: Finding) -> Verdict:
    """Whether gateway and backend speak one protocol, by their versions."""
    state = {"ok": PASS, "warn": WARN, "refuse": FAIL}[found.level]
    verdict = Verdict(
        "gateway_version",
        state,
        found.message or f"OpenClaw {version} speaks protocol {found.protocol}, as the backend does",
    )
    if state != PASS:
        verdict.kind = "gateway_version"
        verdict.cause, verdict.remedy = found.message, found.remedy
    return verdict


def unreadable(path: str) -> Verdict:
    """No settings where an application is deployed."""
    return Verdict(
        "configuration",
        ERROR,
        f"{path} cannot be read",
        cause="The backend's environment file is missing, or belongs to another user.",
        remedy="Run the check as root (become: true) or as the application's user; deploy if it is missing.",
        kind="env_file_missing",
        cure=DEPLOYMENT,
    )


@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """Compare files, processes and answers."""
    environment = context.host.environment
    if not environment:
        require_deployed(context)
        try:
            lines = judge_lines(str(context.host.env_file), context.host.files.read(context.host.env_file))
        except (OSError, HostError):
            lines = Verdict("lines", SKIP)
        # A release that is somebody else's cannot be read, whatever stands in it.
        wrong = [verdict for verdict in (lines, *judge_release(context)) if not verdict.healthy]
        if wrong:
            return combine("configuration", wrong)
        return unreadable(str(context.host.env_file))
    public = context.common["public_url"]
    api_url = options["expected_api_url"]
    env_file = context.host.env_file

    def headers() -> Verdict:
        answer = context.client.get("/healthz", token="")
        if not answer.ok:
            raise context.problem(answer)
        return judge_headers(environment, answer.headers)

    works: list[tuple[str, Any]] = [
        ("lines", lambda: judge_lines(str(env_file), context.host.files.read(env_file))),
        ("env_file", lambda: judge_mode(str(env_file), status_of(context.host.files, env_file).mode)),
        ("names", lambda: judge_names(environment, BACKEND_SETTINGS)),
        ("headers", headers),
        ("cors_origins", lambda: judge_origins(environment, public)),
        ("base_url", lambda: judge_base_url(environment, api_url)),
        ("identity", lambda: judge_identity(environment, context.host.files)),
    ]
    if options["frontend_url"]:

        def built() -> Verdict:
            scripts = frontend_build.scripts_of(context, options["frontend_url"].rstrip("/"))
            return judge_api_url(
                frontend_build.baked_api_url(scripts), public or options["frontend_url"], api_url
            )

        works.append(("api_url", built))
    if version := options["gateway_version"]:

        def gateway() -> Verdict:
            told = context.host.files.look(lambda: support_of(env_file.parent))
            protocols = (min(told["protocols"]), max(told["protocols"])) if told else BACKEND_PROTOCOLS
            return judge_gateway_version(version, check_pair(version, protocols, of_source=bool(told)))

        works.append(("gateway_version", gateway))
    verdicts = context.parts(works)
    verdicts += judge_release(context)
    verdicts += _processes(context, options, environment)
    return combine("configuration", verdicts, f"{len(environment)} settings, as deployed")


def _processes(
    context: HttpContext, options: Mapping[str, Any], environment: Mapping[str, str]
) -> list[Verdict]:
    names = [unit_name(name) for name in options["environment_units"]]
    if not names:
        return []
    try:
        shown = UserManager(context.host.account).show(names, ["Id", "MainPID"])
    except HostError as error:
        return [Verdict("environment", SKIP, f"not compared: {error}")]
    written = status_of(context.host.files, context.host.env_file).changed
    verdicts = []
    for name in names:
        short = name.removesuffix(".service")
        pid = main_pid(shown[name])
        fields = stat_fields(pid) if pid else None
        if fields is None:
            verdicts.append(Verdict(f"environment {short}", SKIP, "not running"))
            continue
        actual = read_environment(pid)
        if actual is None:
            verdicts.append(judge_environment(short, None, None))
            continue
        verdicts.append(judge_proxy(short, actual))
        if not set(environment) & set(actual):
            # The application reads the file itself: all that can be said is which of them is older.
            verdicts.append(judge_environment(short, [], written > started(fields) + 1))
            continue
        verdicts.append(judge_environment(short, environment_differences(pid, dict(environment)), None))
    return verdicts
