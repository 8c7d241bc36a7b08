# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What runs against what is deployed: settings, headers, addresses, and the versions that must fit."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..._application.settings import BACKEND_SETTINGS
from ..._gateway.protocol import check_pair
from ..._host.errors import HostError
from ..._host.processes import environment_differences, process_evidence, read_environment
from ..._host.systemd import unit_name
from ..._http import origin_of
from ..context import Context
from ..units import Units
from ..verdict import ERROR, FAIL, PASS, SKIP, WARN, Verdict, combine
from . import frontend

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
            evidence={"misspelt": wrong},
        )
    return Verdict("names", summary=f"{len(environment)} settings, none misspelt")


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
        remedy=f"chmod 600 {path}, and if others use this host, deploy again with a new "
        "mission_control_token.",
        kind="env_file_readable",
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
        what = ", ".join(differing[:5]) if differing else "the file is newer than the process"
        return Verdict(
            name,
            FAIL,
            f"runs with other settings than those deployed: {what}",
            cause="The environment file was changed after the process was started.",
            remedy=f"systemctl --user restart {unit}",
            kind="stale_environment",
            evidence={"differing": list(differing)},
        )
    return Verdict(name, summary="runs with the deployed settings")


def judge_api_url(baked: str | None, page: str, expected: str) -> Verdict:
    """The address built into the frontend against the one deployed."""
    verdict = frontend.judge_api_url(baked, page, expected)
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
            evidence=evidence,
        )
    return Verdict("base_url", summary=f"BASE_URL is {base}", evidence=evidence)


def judge_gateway_version(
    version: str, protocol: int | None, level: str, message: str, remedy: str
) -> Verdict:
    """Whether gateway and backend speak one protocol, by their versions."""
    state = {"ok": PASS, "warn": WARN, "refuse": FAIL}[level]
    verdict = Verdict(
        "gateway_version",
        state,
        message or f"OpenClaw {version} speaks protocol {protocol}, as the backend does",
    )
    if state != PASS:
        verdict.kind = "gateway_version"
        verdict.cause, verdict.remedy = message, remedy
    return verdict


def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """Compare files, processes and answers."""
    environment = context.host.environment
    if not environment:
        context.require_deployed()
        return Verdict(
            "configuration",
            ERROR,
            f"{context.host.env_file} cannot be read",
            cause="The backend's environment file is missing, or belongs to another user.",
            remedy="Run the check as root (become: true) or as the application's user; deploy if it is "
            "missing.",
            kind="env_file_missing",
        )
    public = context.common["public_url"]
    api_url = options["expected_api_url"]
    env_file = context.host.env_file

    def headers() -> Verdict:
        answer = context.client.get("/healthz", token="")
        if not answer.ok:
            raise context.problem(answer)
        return judge_headers(environment, answer.headers)

    works: list[tuple[str, Any]] = [
        ("env_file", lambda: judge_mode(str(env_file), context.host.files.status(env_file).mode)),
        ("names", lambda: judge_names(environment, BACKEND_SETTINGS)),
        ("headers", headers),
        ("cors_origins", lambda: judge_origins(environment, public)),
        ("base_url", lambda: judge_base_url(environment, api_url)),
    ]
    if options["frontend_url"]:

        def built() -> Verdict:
            scripts = frontend.scripts_of(context, options["frontend_url"].rstrip("/"))
            return judge_api_url(frontend.baked_api_url(scripts), public or options["frontend_url"], api_url)

        works.append(("api_url", built))
    if options["gateway_version"]:
        found = check_pair(options["gateway_version"])
        works.append(
            (
                "gateway_version",
                lambda: judge_gateway_version(
                    options["gateway_version"], found.protocol, found.level, found.message, found.remedy
                ),
            )
        )
    verdicts = context.parts(works)
    verdicts += _processes(context, options, environment)
    return combine("configuration", verdicts, f"{len(environment)} settings, as deployed")


def _processes(context: Context, options: Mapping[str, Any], environment: Mapping[str, str]) -> list[Verdict]:
    names = [unit_name(name) for name in options["environment_units"]]
    if not names:
        return []
    try:
        states = Units(context.host).states(names)
    except HostError as error:
        return [Verdict("environment", SKIP, f"not compared: {error}")]
    written = context.host.files.status(context.host.env_file).changed
    verdicts = []
    for name in names:
        short = name.removesuffix(".service")
        status = states[name]
        process = process_evidence(status.main_pid) if status.main_pid else None
        if process is None:
            verdicts.append(Verdict(f"environment {short}", SKIP, "not running"))
            continue
        actual = read_environment(process.pid)
        if actual is None:
            verdicts.append(judge_environment(short, None, None))
            continue
        if not set(environment) & set(actual):
            # The application reads the file itself: all that can be said is which of them is older.
            verdicts.append(judge_environment(short, [], written > process.started + 1))
            continue
        verdicts.append(
            judge_environment(short, environment_differences(process.pid, dict(environment)), None)
        )
    return verdicts
