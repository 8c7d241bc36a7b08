# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets a rotation changes, and what is in the way of it: decided before anything is changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ..module_utils._gateway.plan import TOKEN_ALPHABET
from ._preflight.access import token_fault

# In the order in which they are rotated.
SECRETS = ("token", "database", "redis", "gateway", "identity")
# The settings of the backend that hold them.
SETTINGS = {"token": "LOCAL_AUTH_TOKEN", "database": "DATABASE_URL", "redis": "RQ_REDIS_URL"}
# Where an operator gives a value; where he gives none, one is generated, but for the token.
VARIABLES = {
    "token": "mission_control_token",
    "database": "mission_control_database_password",
    "redis": "redis_password",
    "gateway": "mission_control_gateway_token",
}
NOTHING_CHANGED = "Nothing was changed."
_IN_ADDRESSES = re.compile(r"[A-Za-z0-9_.~-]*")


def plan(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Decide what is rotated.

    :param facts: `secret` (what was asked for), `missing` (hosts of the inventory that the play leaves out),
      `releases` (as host_info has them), `maintenance`, `settings` (of the backend that serves), `given` (new
      values of the operator's by secret), `external` (addresses of servers that are not ours by secret),
      `redis` (the password that its configuration asks for), `gateway` (the gateway's token),
      `gateways` (how many the inventory has) and `registrations` (of gateways with Mission Control).
    :returns: `problem` (empty where there is none), `secrets`, and `left` (why others stay as they are).
    """
    asked = str(facts["secret"])
    found: dict[str, Any] = {"problem": "", "secrets": [], "left": {}}
    if asked not in (*SECRETS, "all"):
        wanted = f"Use -e secret={', '.join(SECRETS)} or all."
        said = f'"{asked}" is not a valid choice' if asked else "is not set"
        return {**found, "problem": f"secret: {said}. {wanted} {NOTHING_CHANGED}"}
    problem = _host_problem(facts)
    if problem:
        return {**found, "problem": f"{problem} {NOTHING_CHANGED}"}
    wanted_names = SECRETS if asked == "all" else (asked,)
    obstacles = {name: _OBSTACLES[name](facts) for name in wanted_names}
    found["left"] = {name: why for name, why in obstacles.items() if why}
    found["secrets"] = [name for name in wanted_names if not obstacles[name]]
    bad = [
        why
        for name, why in obstacles.items()
        if why.startswith(VARIABLES.get(name, "-")) and _bad(facts, name)
    ]
    if bad or not found["secrets"]:
        said = " ".join(bad or obstacles.values())
        return {"problem": f"{said} {NOTHING_CHANGED}", "secrets": [], "left": {}}
    return found


def _host_problem(facts: Mapping[str, Any]) -> str:
    if facts["missing"]:
        return (
            f"A secret is rotated on all hosts at once, and {', '.join(facts['missing'])} "
            "would be left out: run it without --limit."
        )
    if not facts["releases"].get("current") or not facts["settings"]:
        return "There is no backend whose secrets could be rotated: deploy first (playbooks/deploy.yml)."
    if facts["maintenance"]:
        return (
            "Mission Control is in maintenance, where nothing could be tried: "
            "end it first (playbooks/maintenance.yml -e state=off)."
        )
    return ""


def _given(facts: Mapping[str, Any], name: str) -> str:
    return str(facts["given"].get(name) or "")


def _settled(facts: Mapping[str, Any]) -> bool:
    """Whether the release that serves has passed: in a rotation that was interrupted it has not."""
    releases = facts["releases"]
    for release in releases.get("available") or ():
        if release.get("id") == releases["current"]:
            outcome = (release.get("document") or {}).get("outcome") or {}
            return bool(outcome.get("state") == "verified")
    return False


def _bad(facts: Mapping[str, Any], name: str) -> bool:
    """Whether a value was given that cannot be used."""
    value = _given(facts, name)
    if name == "token":
        return bool(token_fault(value))
    if name == "gateway":
        return bool(value) and (len(value) < 16 or not set(value) <= TOKEN_ALPHABET)
    return not _IN_ADDRESSES.fullmatch(value)


def _same(name: str) -> str:
    make = "openssl rand -hex 32"
    return (
        f"{VARIABLES[name]} is the one that is in use. Put a new one into the inventory or the vault "
        f"({make} makes one), and run this again."
    )


def password_of(url: str) -> str:
    """The password in an address."""
    return unquote(urlsplit(url).password or "")


def _token(facts: Mapping[str, Any]) -> str:
    if facts["settings"].get("AUTH_MODE", "local") != "local":
        return "token: users log in by Clerk, so there is none."
    if _bad(facts, "token"):
        return f"{VARIABLES['token']} {token_fault(_given(facts, 'token'))}."
    same = _given(facts, "token") == facts["settings"].get(SETTINGS["token"])
    return _same("token") if same and _settled(facts) else ""


def _database(facts: Mapping[str, Any]) -> str:
    if facts["external"].get("database"):
        return (
            "database: the server is not this deployment's (mission_control_database_url), so its password "
            "is changed by whoever runs it. Then put the new one into that address and deploy."
        )
    if _bad(facts, "database"):
        return f"{VARIABLES['database']}: use letters, digits, _ . ~ and -, since a % breaks migrations."
    used = password_of(str(facts["settings"].get(SETTINGS["database"], "")))
    if not used:
        return "database: the address that serves holds no password."
    return _same("database") if used == _given(facts, "database") and _settled(facts) else ""


def _redis(facts: Mapping[str, Any]) -> str:
    if facts["external"].get("redis"):
        return (
            "redis: the server is not this deployment's (mission_control_redis_url), so its password is "
            "changed by whoever runs it. Then put the new one into that address and deploy."
        )
    if _bad(facts, "redis"):
        return (
            f"{VARIABLES['redis']}: use letters, digits, _ . ~ and -, which an address can hold as they are."
        )
    if not facts["redis"] or not password_of(str(facts["settings"].get(SETTINGS["redis"], ""))):
        return "redis: the server asks for no password (redis_require_password)."
    return _same("redis") if facts["redis"] == _given(facts, "redis") else ""


def _gateway(facts: Mapping[str, Any]) -> str:
    if facts["gateways"] != 1:
        many = (
            "has several gateways" if facts["gateways"] else "has no gateway (group mission_control_gateway)"
        )
        return (
            f"gateway: the inventory {many}. Change the token there, then in "
            "mission_control_gateways, and deploy."
        )
    if _bad(facts, "gateway"):
        return (
            f"{VARIABLES['gateway']} is too short or holds characters that do not survive an environment "
            "file: use at least 16 letters and digits."
        )
    return _same("gateway") if facts["gateway"] and facts["gateway"] == _given(facts, "gateway") else ""


def _identity(facts: Mapping[str, Any]) -> str:
    if facts["gateways"] != 1:
        return (
            "identity: the inventory has not exactly one gateway (group mission_control_gateway) that could "
            "approve a new one."
        )
    registered = [item for item in facts["registrations"] if item.get("state", "present") == "present"]
    elsewhere = [str(item.get("name")) for item in registered if item.get("url")]
    if elsewhere:
        return (
            f"identity: the inventory does not deploy the gateways {words(elsewhere)}, where somebody would "
            "have to approve a new one."
        )
    return ""


_OBSTACLES = {
    "token": _token,
    "database": _database,
    "redis": _redis,
    "gateway": _gateway,
    "identity": _identity,
}


def words(names: Iterable[str]) -> str:
    """Some names in a sentence."""
    listed = list(names)
    return " and ".join(part for part in (", ".join(listed[:-1]), *listed[-1:]) if part)


def sentence(rotation: Mapping[str, Any], given: Mapping[str, Any], *, predicted: bool) -> str:
    """What a rotation did, or would do; and what is left to the operator.

    :param rotation: what plan() decided.
    :param given: new values of the operator's by secret.
    """
    names = list(rotation["secrets"])
    said = [f"{'Would rotate' if predicted else 'Rotated'}: {words(names)}."]
    if not predicted:
        said.append("What was in use before is refused.")
    kept = [VARIABLES[name] for name in names if name in VARIABLES and given.get(name)]
    if kept:
        said.append(
            f"{words(kept)}: keep the new value in the inventory or the vault; where it was given by -e, "
            "put it there, or the next deployment brings the old one back."
        )
    if "token" in names:
        said.append("Browsers and programs that use the token need the new one.")
    return "\n".join([" ".join(said), *(f"Left as it is: {why}" for why in rotation["left"].values())])
