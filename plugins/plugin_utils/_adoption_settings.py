# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of an installation that is taken over, put below what the inventory says.

`resolve` is pure: what was found and what the inventory names in; the variables to set, and what is told of
each setting, out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..module_utils._adoption.discovery import IDENTITY_SETTING
from ..module_utils._application.components import PORTS
from ..module_utils._application.environment import texts
from ..module_utils._application.flags import FALSE
from ..module_utils._application.frontend_settings import FRONTEND_SETTINGS
from ..module_utils._application.settings import BACKEND_SETTINGS
from ..module_utils._host import reachable
from ..module_utils._host.errors import HostError
from ..module_utils._host.written_addresses import IPV4_LOOPBACK
from ..module_utils._shown_settings import shown
from ..module_utils._tables import table
from ._preflight.access import token_fault
from ._preflight.database import database_address_fault, redis_url_fault
from ._preflight.inventory import suggest
from ._preflight.model import PREFIX
from ._preflight.settings import setting_fault

# The setting of the product and the variable of this collection that stands for it.
_VARIABLES = {
    "AUTH_MODE": "auth_mode",
    "LOCAL_AUTH_TOKEN": "token",
    "CLERK_SECRET_KEY": "clerk_secret_key",
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": "clerk_publishable_key",
}
# Of the unit that named them, not of the application.
_OF_UNITS = re.compile(r"PATH|HOME|USER|LANG|SHELL|PORT|HOSTNAME|VIRTUAL_ENV|(LC|NODE|UV|XDG|PYTHON)_?\w*")


@dataclass(frozen=True)
class Row:
    """What becomes of one setting."""

    name: str
    found: str
    becomes: str
    why: str


@dataclass
class Resolved:
    facts: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    # Settings that are secret because the operator says so.
    secret_settings: tuple[str, ...] = ()

    def show(self, name: str, value: str) -> str:
        """A setting's value for a reader."""
        return shown(name, value, self.secret_settings)

    def tell(self, name: str, found: str, becomes: Any, why: str) -> None:
        text = ",".join(map(str, becomes)) if isinstance(becomes, list) else str(becomes)
        self.rows.append(Row(name, self.show(name, found), self.show(name, text), why))

    @property
    def table(self) -> str:
        rows = [[row.name, row.found or "(empty)", row.becomes or "(empty)", row.why] for row in self.rows]
        return table(["SETTING", "FOUND", "BECOMES", "WHY"], rows, limit=72) if rows else ""


CARRIED = "carried over"
INVENTORY = "the inventory says so"


def resolve(found: Mapping[str, Any], named: Mapping[str, Any]) -> Resolved:
    """`found` is what the module adoption read; `named` are the host's variables, by their full names."""
    resolved = Resolved(secret_settings=tuple(named.get(f"{PREFIX}_secret_settings") or ()))
    backend, frontend = dict(found["backend"]), dict(found["frontend"])

    def of_inventory(name: str) -> Any:
        value = named.get(name)
        return None if value is None or value in ("", [], {}) else value

    for setting, name in _VARIABLES.items():
        for values in (backend, frontend):
            if setting in values:
                _variable(resolved, setting, values.pop(setting), f"{PREFIX}_{name}", of_inventory)
    _address(resolved, backend, of_inventory)
    _origins(resolved, backend, of_inventory)
    _database(resolved, found, backend.pop("DATABASE_URL", ""), of_inventory)
    redis = backend.get("RQ_REDIS_URL", "")
    _redis(resolved, backend.pop("RQ_REDIS_URL", ""), bool(found["local_redis"]), of_inventory)
    if backend.get("RATE_LIMIT_REDIS_URL") in ("", redis):
        # Empty means: that of the queue.
        backend.pop("RATE_LIMIT_REDIS_URL")
    _backend_settings(resolved, backend, of_inventory)
    _frontend_settings(resolved, frontend, of_inventory)
    _listens(resolved, found["listens"], of_inventory)
    resolved.rows.sort(key=lambda row: (row.why == CARRIED, row.name))
    return resolved


def _variable(resolved: Resolved, setting: str, value: str, variable: str, of_inventory: Any) -> None:
    wanted = of_inventory(variable)
    if not value:
        return
    if wanted is not None:
        resolved.tell(setting, value, wanted, CARRIED if wanted == value else INVENTORY)
        if wanted != value and resolved.show(setting, value) == resolved.show(setting, str(wanted)):
            resolved.rows[-1] = Row(setting, resolved.show(setting, value), "another value", INVENTORY)
        return
    fault = token_fault(value) if setting == "LOCAL_AUTH_TOKEN" else ""
    if fault:
        resolved.tell(setting, value, "", f"it {fault}: set {variable}")
        return
    resolved.facts[variable] = value
    resolved.tell(setting, value, value, CARRIED)


def _address(resolved: Resolved, backend: dict[str, str], of_inventory: Any) -> None:
    """BASE_URL: the inventory settles it (the preflight sees to it that it says something)."""
    value = backend.pop("BASE_URL", "").rstrip("/")
    wanted = of_inventory(f"{PREFIX}_api_url")
    if value and wanted is not None:
        resolved.tell("BASE_URL", value, wanted, CARRIED if wanted == value else INVENTORY)
    elif value:
        resolved.tell("BASE_URL", value, value, CARRIED)


def _origins(resolved: Resolved, backend: dict[str, str], of_inventory: Any) -> None:
    text = backend.pop("CORS_ORIGINS", "")
    origins = [item.strip() for item in text.split(",") if item.strip()]
    variable, public = f"{PREFIX}_cors_origins", of_inventory(f"{PREFIX}_public_url")
    wanted = of_inventory(variable)
    if not origins:
        return
    if wanted is not None:
        same = sorted(wanted if isinstance(wanted, list) else str(wanted).split(",")) == sorted(origins)
        resolved.tell("CORS_ORIGINS", text, wanted, CARRIED if same else INVENTORY)
        return
    setting = BACKEND_SETTINGS["CORS_ORIGINS"]
    good = [origin for origin in origins if not setting_fault("CORS_ORIGINS", setting, [origin])]
    bad = [origin for origin in origins if origin not in good]
    merged = [*good, public] if public and public not in good else good
    resolved.facts[variable] = merged
    why = f"{', '.join(bad)} can be no origin of a browser" if bad else CARRIED
    if merged != good and not bad:
        why = f"carried over, and {PREFIX}_public_url is added"
    resolved.tell("CORS_ORIGINS", text, merged, why)


def _database(resolved: Resolved, found: Mapping[str, Any], url: str, of_inventory: Any) -> None:
    if not url:
        return
    if wanted := of_inventory(f"{PREFIX}_database_url"):
        resolved.tell("DATABASE_URL", url, wanted, CARRIED if wanted == url else INVENTORY)
        return
    if fault := database_address_fault(url):
        # The preflight, which follows, refuses it by the variable's name.
        resolved.facts[f"{PREFIX}_database_url"] = url
        resolved.tell("DATABASE_URL", url, "", f"it {fault}: set {PREFIX}_database_url")
        return
    parts = urlsplit(url)
    if not (found["local_database"] and reachable.is_this_host(parts.hostname or "")):
        resolved.facts[f"{PREFIX}_database_url"] = url
        resolved.tell("DATABASE_URL", url, url, CARRIED)
        return
    name = parts.path.strip("/")
    wanted_name = of_inventory(f"{PREFIX}_database_name")
    user = of_inventory(f"{PREFIX}_database_user") or PREFIX
    if wanted_name is None:
        resolved.facts[f"{PREFIX}_database_name"] = name
    if parts.port not in (None, 5432):
        resolved.facts.setdefault("postgresql_port", parts.port)
    if found.get("adopting") and wanted_name in (None, name):
        # The role hands the database over when this login works and owns it.
        resolved.facts["postgresql_adopted_url"] = url
    becomes = f"postgresql+psycopg://{user}:********@127.0.0.1:{parts.port or 5432}/{wanted_name or name}"
    if wanted_name not in (None, name):
        why = f"the inventory names another database; what is in {name} stays there"
    elif parts.username != user:
        why = f"the same database, entered by {user}, a role of least privilege"
    else:
        why = CARRIED
    resolved.tell("DATABASE_URL", url, becomes, why)


def _redis(resolved: Resolved, url: str, local: bool, of_inventory: Any) -> None:
    if not url:
        return
    if wanted := of_inventory(f"{PREFIX}_redis_url"):
        resolved.tell("RQ_REDIS_URL", url, wanted, CARRIED if wanted == url else INVENTORY)
        return
    if fault := redis_url_fault(url):
        resolved.facts[f"{PREFIX}_redis_url"] = url
        resolved.tell("RQ_REDIS_URL", url, "", f"it {fault}: set {PREFIX}_redis_url")
        return
    parts = urlsplit(url)
    if not (local and parts.scheme == "redis" and reachable.is_this_host(parts.hostname or "")):
        resolved.facts[f"{PREFIX}_redis_url"] = url
    else:
        own = {
            "redis_password": parts.password or "",
            "redis_port": parts.port or 6379,
            "redis_database": int(parts.path.strip("/") or 0),
        }
        usual = {"redis_password": "", "redis_port": PORTS["redis"], "redis_database": 0}
        resolved.facts.update({name: value for name, value in own.items() if value != usual[name]})
    resolved.tell("RQ_REDIS_URL", url, url, CARRIED)


def _backend_settings(resolved: Resolved, backend: Mapping[str, str], of_inventory: Any) -> None:
    variable, more = f"{PREFIX}_backend_environment", f"{PREFIX}_additional_environment"
    own, additional = dict(of_inventory(variable) or {}), dict(of_inventory(more) or {})
    carried: dict[str, str] = {}
    added: dict[str, str] = {}
    for name, value in backend.items():
        setting = BACKEND_SETTINGS.get(name)
        if name in own or name in additional:
            wanted = own.get(name, additional.get(name))
            resolved.tell(name, value, wanted, CARRIED if _same(value, wanted) else INVENTORY)
        elif setting is None:
            if reason := _foreign(name):
                resolved.tell(name, value, "left out", reason)
            elif not _OF_UNITS.fullmatch(name):
                _take(resolved, added, name, value, "no setting of the product; the services keep it")
        elif name == "ENVIRONMENT" and value == "dev":
            resolved.tell(name, value, "prod", "with dev the product migrates whenever it starts")
        elif name == "DB_AUTO_MIGRATE" and value.lower() not in {"", *FALSE}:
            resolved.tell(name, value, "false", "the deployment migrates, once and after a backup")
        elif name in ("DB_AUTO_MIGRATE", IDENTITY_SETTING):
            continue
        elif name.startswith("SECURITY_HEADER_") and not value and setting.default:
            resolved.tell(
                name, value, setting.default, "blank turns the header off, as the example file does"
            )
        elif not value and setting.kind in ("choice", "boolean", "integer", "number", "version"):
            continue
        elif fault := setting_fault(name, setting, value):
            resolved.tell(name, value, "left out", f"it {fault}")
        else:
            _take(resolved, carried, name, value, CARRIED)
    if carried:
        resolved.facts[variable] = {**carried, **own}
    if added:
        resolved.facts[more] = {**added, **additional}


def _take(resolved: Resolved, values: dict[str, str], name: str, value: str, why: str) -> None:
    try:
        texts({name: value})
    except HostError as error:
        resolved.tell(name, value, "left out", error.message)
        return
    values[name] = value
    resolved.tell(name, value, value, why)


def _foreign(name: str) -> str:
    """Why an unknown name is left out; empty when it is just another variable."""
    if name.startswith("NEXT_PUBLIC_"):
        return "it is a setting of the frontend, without effect on the backend"
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        return "it is not a valid name of an environment variable"
    meant = suggest(name, BACKEND_SETTINGS)
    return f"no setting of the product, which ignored it; {meant} was meant?" if meant else ""


def _same(value: str, wanted: Any) -> bool:
    return value.lower() == str(wanted).lower() if isinstance(wanted, bool) else value == str(wanted)


def _frontend_settings(resolved: Resolved, frontend: Mapping[str, str], of_inventory: Any) -> None:
    variable = f"{PREFIX}_frontend_environment"
    own = dict(of_inventory(variable) or {})
    carried = {}
    for name, value in frontend.items():
        if name in own:
            resolved.tell(name, value, own[name], CARRIED if value == str(own[name]) else INVENTORY)
        elif name == "NEXT_PUBLIC_API_URL":
            resolved.tell(name, value, "that of BASE_URL", "browsers and agents use one address")
        elif name == "NEXT_PUBLIC_AUTH_MODE" or (not value and name in FRONTEND_SETTINGS):
            continue
        elif name.startswith("NEXT_PUBLIC_"):
            carried[name] = value
            resolved.tell(name, value, value, CARRIED)
        elif not _OF_UNITS.fullmatch(name):
            resolved.tell(
                name, value, "left out", "only names that start with NEXT_PUBLIC_ reach the browser"
            )
    if carried:
        resolved.facts[variable] = {**carried, **own}


def _listens(resolved: Resolved, listens: Mapping[str, Mapping[str, str]], of_inventory: Any) -> None:
    """A service that only the host itself reached is not opened to the network by being taken over."""
    for part, place in listens.items():
        variable = f"{PREFIX}_{part}_bind"
        wanted = of_inventory(variable)
        if wanted is not None:
            if wanted != place["host"]:
                resolved.tell(f"{part}: listens on", place["host"], wanted, INVENTORY)
        elif reachable.is_loopback(place["host"]):
            resolved.facts[variable] = IPV4_LOOPBACK if place["host"] == "localhost" else place["host"]
            resolved.tell(f"{part}: listens on", place["host"], resolved.facts[variable], CARRIED)
