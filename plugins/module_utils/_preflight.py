# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every foreseeable mistake, found before anything is changed (see the action preflight).

A rule is a function from what is known (variables, inventory, inspected host) to problems. `check` runs
them all, so that an operator learns of all mistakes at once.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ._redact import Redactor
from ._runner import DeploymentError
from ._settings import BACKEND_SETTINGS, FRONTEND_SETTINGS, Setting

PREFIX = "mission_control"
COMPONENTS = ("postgresql", "redis", "backend", "worker", "frontend", "gateway", "proxy")

# Variables that an operator sets; a name that is nearly one of these is a mistake.
PUBLIC_VARIABLES = frozenset(
    f"{PREFIX}_{name}"
    for name in (
        "additional_environment",
        "adopt",
        "api_url",
        "auth_mode",
        "backend_bind",
        "backend_environment",
        "backend_port",
        "boards",
        "bundle",
        "clerk_publishable_key",
        "clerk_secret_key",
        "cors_origins",
        "database_name",
        "database_password",
        "database_url",
        "database_user",
        "deploy_in_maintenance",
        "download_environment",
        "frontend_bind",
        "frontend_environment",
        "frontend_port",
        "gateway_bind",
        "gateway_ca_path",
        "gateway_configuration",
        "gateway_port",
        "gateway_token",
        "gateway_url",
        "gateway_user",
        "gateway_version",
        "gateways",
        "public_url",
        "redis_url",
        "revision",
        "source",
        "source_checksum",
        "token",
        "user",
    )
)

LOOPBACK = ("localhost", "127.0.0.1", "::1", "")
EVERYWHERE = ("0.0.0.0", "::", "*")  # noqa: S104 - compared, not listened on

TOKEN_MINIMUM = 50
_PLACEHOLDERS = frozenset({"change-me", "changeme", "replace-me", "replace-with-strong-random-token"})
_PLACEHOLDER_WORDS = (
    "change-me",
    "changeme",
    "replace-me",
    "replace-with",
    "your-token",
    "your-auth-token",
    "placeholder",
)
_URL_SAFE = re.compile(r"[A-Za-z0-9_.~-]+")
_ROLE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_TRUE = {"1", "true", "yes", "on", "y", "t"}
_FALSE = {"0", "false", "no", "off", "n", "f"}


@dataclass(frozen=True)
class Problem:
    """One mistake: the variable, its value where that is no secret, what is wrong, and what to do."""

    rule: str
    variable: str
    message: str
    remedy: str
    value: str = ""
    warning: bool = False

    def __str__(self) -> str:
        subject = f"{self.variable}: {self.value}" if self.value else self.variable
        return f"{subject} — {self.message}; {self.remedy}" if self.remedy else f"{subject} — {self.message}"

    def as_dict(self) -> dict[str, str]:
        return {
            "rule": self.rule,
            "variable": self.variable,
            "value": self.value,
            "message": self.message,
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Port:
    number: Any
    variable: str


@dataclass(frozen=True)
class Space:
    path: str
    needed: int
    variable: str


@dataclass(frozen=True)
class Bundle:
    """The bundle that is deployed from, beside what the roles would download otherwise."""

    path: str
    directory: str  # on the host
    manifest: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""  # why it cannot be read
    wishes: Mapping[str, Any] = field(default_factory=dict)  # variables of the roles by name


@dataclass(frozen=True)
class Context:
    """What the rules know. `host` is what the module host_info returned, or None before it was asked."""

    variables: Mapping[str, Any] = field(default_factory=dict)
    undefined: Mapping[str, str] = field(default_factory=dict)
    names: Sequence[str] = ()
    hostname: str = ""
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    components: Sequence[str] = ()
    host: Mapping[str, Any] | None = None
    ports: Sequence[Port] = ()
    spaces: Sequence[Space] = ()
    memory: int = 0
    bundle: Bundle | None = None
    source: DeploymentError | None = None  # what is wrong with the source, as far as the controller can see

    def get(self, name: str, default: Any = "") -> Any:
        """The value of mission_control_<name>, or the default where it is not set or empty."""
        value = self.variables.get(f"{PREFIX}_{name}")
        return default if value is None or value == "" else value

    def runs(self, *components: str) -> bool:
        return any(component in self.components for component in components)


Rule = Callable[[Context], Iterable[Problem]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def check(context: Context) -> list[Problem]:
    """All problems of all rules, in the order of the rules."""
    found: list[Problem] = []
    for function in RULES.values():
        for problem in function(context):
            if problem not in found:
                found.append(problem)
    return found


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    # The prefix, common to many, would make all of them alike.
    choices = {_bare(choice): choice for choice in known}
    near = difflib.get_close_matches(_bare(name), choices, n=1, cutoff=0.75)
    return choices[near[0]] if near else None


def _bare(name: str) -> str:
    return name.lower().removeprefix(f"{PREFIX}_")


# --- addresses -----------------------------------------------------------------------------------


def _url_faults(url: str, schemes: tuple[str, ...] = ("http", "https"), *, origin: bool = False) -> str:
    """What is wrong with an address; empty when nothing is."""
    if url != url.strip() or any(character.isspace() for character in url):
        return "holds blanks"
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError:
        return "is no valid address (look at the port and at brackets)"
    if parts.scheme not in schemes:
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        return f"is not absolute: it has to start with {wanted}"
    if not host:
        return "names no host"
    if port == 0:
        return "has the port 0"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "has a query or a fragment"
    if origin and parts.path == "/":
        return "ends with a slash, and an origin is compared to the letter"
    if origin and parts.path:
        return f"has the path {parts.path}, and an origin has none"
    if origin and (host != host.lower() or parts.netloc != parts.netloc.lower()):
        return "has capital letters, and browsers send the host in lower case"
    if origin and port == {"http": 80, "https": 443}[parts.scheme]:
        return f"names the default port {port}, which browsers leave out"
    return ""


@rule
def undefined_variables(context: Context) -> Iterator[Problem]:
    for name, why in context.undefined.items():
        yield Problem(
            "undefined_variables",
            name,
            f"cannot be resolved: {why}",
            "define what it refers to, for example in the vault",
        )


@rule
def public_url(context: Context) -> Iterator[Problem]:
    if not context.runs("backend", "frontend", "worker") or f"{PREFIX}_public_url" in context.undefined:
        return
    variable, url = f"{PREFIX}_public_url", str(context.get("public_url"))
    if not url:
        yield Problem(
            "public_url",
            variable,
            "is not set",
            "give the address that users open in their browsers, for example http://mission-control.example.com:3000",
        )
    elif fault := _url_faults(url, origin=True):
        yield Problem(
            "public_url",
            variable,
            fault,
            "give scheme, host and port only, such as http://host:3000",
            value=url,
        )


@rule
def api_url(context: Context) -> Iterator[Problem]:
    variable, url = f"{PREFIX}_api_url", str(context.get("api_url"))
    if not url or not context.runs("backend", "frontend", "worker"):
        return
    if fault := _url_faults(url):
        yield Problem(
            "api_url",
            variable,
            fault,
            "give an absolute address that browsers, agents and gateways reach, such as http://host:8000 "
            "(it becomes BASE_URL)",
            value=url,
        )
        return
    public = str(context.get("public_url"))
    if public and not _url_faults(public) and _is_loopback(url) and not _is_loopback(public):
        yield Problem(
            "api_url",
            variable,
            "is reachable on the host itself only, and users' browsers have to reach it",
            "give the host's name as users know it",
            value=url,
        )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@rule
def cors_origins(context: Context) -> Iterator[Problem]:
    variable = f"{PREFIX}_cors_origins"
    given = context.get("cors_origins", None)
    if given is None:
        return
    origins = _items(given)
    if isinstance(given, str) and "," not in given and len(origins) == 1:
        origins = [given.strip()]
    for origin in origins:
        if origin == "*":
            yield Problem(
                "cors_origins",
                variable,
                "is no origin: the product compares to the letter and knows no wildcard",
                "list each origin",
                value=origin,
            )
        elif fault := _url_faults(origin, origin=True):
            yield Problem(
                "cors_origins",
                variable,
                fault,
                "give scheme, host and port only, such as http://host:3000",
                value=origin,
            )
    public = str(context.get("public_url"))
    if public and origins and not {public, "*"} & set(origins) and not _url_faults(public, origin=True):
        yield Problem(
            "cors_origins",
            variable,
            f"lacks {public}, so browsers would be refused",
            f"add {PREFIX}_public_url to it",
            value=", ".join(origins),
        )


def _items(value: Any) -> list[str]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    if isinstance(value, Sequence):
        return [str(item) for item in value]
    return [str(value)]


# --- who may enter -------------------------------------------------------------------------------


@rule
def authentication(context: Context) -> Iterator[Problem]:
    if not context.runs("backend", "worker", "frontend"):
        return
    mode = str(context.get("auth_mode", "local"))
    if mode not in ("local", "clerk"):
        yield Problem(
            "authentication",
            f"{PREFIX}_auth_mode",
            "is not known to the product",
            "use local or clerk",
            value=mode,
        )
    elif mode == "clerk":
        yield from _clerk(context)
    elif context.runs("backend", "worker") and f"{PREFIX}_token" not in context.undefined:
        fault = token_fault(str(context.get("token")))
        if fault:
            yield Problem(
                "authentication",
                f"{PREFIX}_token",
                fault,
                "make one with: openssl rand -hex 32, and keep it in the vault",
            )


def token_fault(token: str) -> str:
    """What is wrong with a bearer token, without showing it."""
    stripped = token.strip()
    if not stripped:
        return "is not set"
    lowered = stripped.lower()
    if lowered in _PLACEHOLDERS or any(word in lowered.replace("_", "-") for word in _PLACEHOLDER_WORDS):
        return "is a placeholder"
    if len(stripped) < TOKEN_MINIMUM:
        return f"has {len(stripped)} characters, and the product wants at least {TOKEN_MINIMUM}"
    if not re.fullmatch(r"[!#$%&*+,./:;<=>?@^_|~A-Za-z0-9-]+", stripped):
        return "holds blanks, quotes, backslashes or other characters that do not survive headers and files"
    if len(set(stripped)) < 8:
        return "repeats the same few characters, so it can be guessed"
    return ""


def _clerk(context: Context) -> Iterator[Problem]:
    remedy = "copy it from the dashboard of Clerk, or use mission_control_auth_mode: local"
    needed = []
    if context.runs("backend", "worker"):
        needed.append("clerk_secret_key")
    if context.runs("frontend"):
        needed.append("clerk_publishable_key")
    for name in needed:
        variable = f"{PREFIX}_{name}"
        if variable not in context.undefined and not str(context.get(name)).strip():
            yield Problem("authentication", variable, f"is not set, and {PREFIX}_auth_mode is clerk", remedy)


# --- names ---------------------------------------------------------------------------------------


@rule
def inventory_groups(context: Context) -> Iterator[Problem]:
    known = {PREFIX, *(f"{PREFIX}_{component}" for component in COMPONENTS)}
    for name in sorted(context.groups):
        if name.startswith(PREFIX) and name not in known:
            meant = suggest(name, known)
            yield Problem(
                "inventory_groups",
                f"group {name}",
                "is no group of this collection",
                f"did you mean {meant}?" if meant else f"known are {', '.join(sorted(known))}",
            )
    everyone = set(context.groups.get(PREFIX, ()))
    for component in COMPONENTS:
        group = f"{PREFIX}_{component}"
        # The hosts of a play are those of the one group, so this one is not the host that is missing there.
        outside = sorted(set(context.groups.get(group, ())) - everyone)
        if everyone and outside:
            yield Problem(
                "inventory_groups",
                f"group {PREFIX}",
                f"lacks {', '.join(outside)}, which {'is' if len(outside) == 1 else 'are'} in {group}",
                f"make {group} a child of {PREFIX}",
            )
    if context.hostname in everyone and not context.components:
        yield Problem(
            "inventory_groups",
            f"host {context.hostname}",
            "runs nothing: every part has a group of its own and the host is in none of them",
            "put it into one of them, or take it out of the inventory",
            warning=True,
        )


@rule
def variable_names(context: Context) -> Iterator[Problem]:
    for name in sorted(context.names):
        if name.startswith(f"{PREFIX}_") and name not in PUBLIC_VARIABLES:
            meant = suggest(name, PUBLIC_VARIABLES)
            if meant is not None and meant not in context.names:
                yield Problem(
                    "variable_names", name, "is no variable of this collection", f"did you mean {meant}?"
                )


def check_environment(
    values: Mapping[str, Any], variable: str = f"{PREFIX}_backend_environment"
) -> list[Problem]:
    """Overrides of the product's backend settings: misspelt names, and values that it would refuse."""
    found = []
    for name, value in values.items():
        setting = BACKEND_SETTINGS.get(name)
        if setting is None:
            found.append(_unknown_setting(str(name), variable))
            continue
        fault = setting_fault(name, setting, value)
        if fault:
            shown = "" if setting.secret else str(value)
            found.append(
                Problem("environment", f"{variable}.{name}", fault, "see the product's settings", value=shown)
            )
    return found


def _unknown_setting(name: str, variable: str) -> Problem:
    meant = suggest(name, BACKEND_SETTINGS)
    if name in FRONTEND_SETTINGS or name.startswith("NEXT_PUBLIC_"):
        remedy = f"it is built into the frontend: put it into {PREFIX}_frontend_environment"
    elif meant:
        remedy = f"did you mean {meant}?"
    else:
        remedy = f"put variables that are not the product's into {PREFIX}_additional_environment"
    return Problem(
        "environment",
        f"{variable}.{name}",
        "is no setting of the product, which would ignore it silently",
        remedy,
    )


def setting_fault(name: str, setting: Setting, value: Any) -> str:
    """What is wrong with a value of a setting; empty when nothing is."""
    text = ("true" if value else "false") if isinstance(value, bool) else str("" if value is None else value)
    kind = setting.kind
    if kind == "choice" and text not in setting.allowed:
        wanted = ", ".join(setting.allowed)
        return (
            f"has to be one of {wanted}"
            if text.upper() not in setting.allowed
            else f"is written in capitals: {wanted}"
        )
    if kind == "boolean" and text.lower() not in _TRUE | _FALSE:
        return "has to be true or false"
    if kind == "integer" and not re.fullmatch(r"\d+", text):
        return "has to be a whole number that is not negative"
    if kind == "number" and not re.fullmatch(r"\d+(\.\d+)?", text):
        return "has to be a number that is not negative"
    if kind == "version" and not re.fullmatch(r"\d{4}\.\d{1,2}\.\d{1,2}(-\w+)?", text):
        return "has to be a version such as 2026.02.9"
    if kind == "url" and text:
        return _url_faults(text)
    if kind == "database":
        return database_url_fault(text)
    if kind == "redis" and text:
        return redis_url_fault(text)
    if kind == "networks":
        return _networks_fault(text)
    if kind == "origins":
        faults = [
            f"{origin} {fault}" for origin in _items(value) if (fault := _url_faults(origin, origin=True))
        ]
        return "; ".join(faults)
    if name == "LOCAL_AUTH_TOKEN":
        return token_fault(text)
    return ""


def _networks_fault(text: str) -> str:
    for item in _items(text):
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError:
            return f"{item} is no address and no network"
    return ""


@rule
def environment(context: Context) -> Iterator[Problem]:
    if not context.runs("backend", "worker"):
        return
    for name in (
        "backend_environment",
        "additional_environment",
        "download_environment",
        "frontend_environment",
    ):
        values = context.get(name, {})
        if not isinstance(values, Mapping):
            yield Problem(
                "environment",
                f"{PREFIX}_{name}",
                "is no mapping of names to values",
                "write one line NAME: value each",
            )
            continue
        if name == "backend_environment":
            yield from check_environment(values)
            yield from _unwise_settings(values)
        if name == "additional_environment":
            for key in values:
                if key in BACKEND_SETTINGS:
                    yield Problem(
                        "environment",
                        f"{PREFIX}_{name}.{key}",
                        "is a setting of the product",
                        f"put it into {PREFIX}_backend_environment, where its value is checked",
                    )
                elif meant := suggest(str(key), BACKEND_SETTINGS):
                    yield Problem(
                        "environment",
                        f"{PREFIX}_{name}.{key}",
                        f"looks like the product's setting {meant}",
                        f"if that is meant, put it into {PREFIX}_backend_environment",
                        warning=True,
                    )


def _unwise_settings(values: Mapping[str, Any]) -> Iterator[Problem]:
    variable = f"{PREFIX}_backend_environment"
    if str(values.get("ENVIRONMENT", "")) == "dev" and "DB_AUTO_MIGRATE" not in values:
        yield Problem(
            "environment",
            f"{variable}.ENVIRONMENT",
            "makes the product migrate its database whenever a process starts",
            "use another name, for example staging",
            value="dev",
        )
    if str(values.get("DB_AUTO_MIGRATE", "")).lower() in _TRUE:
        yield Problem(
            "environment",
            f"{variable}.DB_AUTO_MIGRATE",
            "makes several processes migrate the database at once",
            "leave it off: the deployment migrates once, before the start",
            value=str(values["DB_AUTO_MIGRATE"]),
        )


# --- the source ----------------------------------------------------------------------------------


@rule
def source(context: Context) -> Iterator[Problem]:
    if context.source is None or context.bundle or not context.runs("backend", "worker", "frontend"):
        return
    variable, _colon, fault = context.source.message.partition(": ")
    yield Problem("source", variable, fault.rstrip("."), _in_line(context.source.remedy))


def _in_line(remedy: str) -> str:
    """A sentence as the second half of another."""
    return remedy[:1].lower() + remedy[1:].rstrip(".")


# --- database and queue --------------------------------------------------------------------------


def database_url_fault(url: str) -> str:
    if not url.strip():
        return "is empty"
    if "%" in url:
        return "holds a %, at which the product's migrations fail"
    if any(character.isspace() for character in url):
        return "holds blanks"
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return "is no valid address (look at the port and at brackets)"
    if parts.scheme not in ("postgresql+psycopg", "postgresql", "postgres"):
        return f"starts with {parts.scheme or 'no scheme'}:, and the product wants postgresql+psycopg://"
    if not parts.path.strip("/"):
        return "names no database"
    return ""


def redis_url_fault(url: str) -> str:
    if any(character.isspace() for character in url):
        return "holds blanks"
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return "is no valid address (look at the port and at brackets)"
    if parts.scheme not in ("redis", "rediss", "unix"):
        return f"starts with {parts.scheme or 'no scheme'}:, and it has to be redis:// or rediss://"
    if parts.scheme != "unix" and not parts.hostname:
        return "names no host"
    return ""


@rule
def database(context: Context) -> Iterator[Problem]:
    url = context.get("database_url", None)
    if url is not None and (fault := database_url_fault(str(url))):
        yield Problem(
            "database",
            f"{PREFIX}_database_url",
            fault,
            "give postgresql+psycopg://user:password@host:5432/name, its password of letters, digits, _ -",
            value=Redactor().text(str(url)),
        )
    for name in ("database_name", "database_user"):
        value = str(context.get(name, PREFIX))
        if not _ROLE_NAME.fullmatch(value):
            yield Problem(
                "database",
                f"{PREFIX}_{name}",
                "is no plain name for PostgreSQL",
                "use lower-case letters, digits and underscores",
                value=value,
            )
    if str(context.get("database_user")) == "postgres" and not url:
        yield Problem(
            "database",
            f"{PREFIX}_database_user",
            "is the superuser, and the application needs no such rights",
            f"leave it out: a login of its own ({PREFIX}) is made",
            value="postgres",
        )
    password = str(context.get("database_password"))
    if password and not _URL_SAFE.fullmatch(password):
        what = (
            "holds a %, at which the product's migrations fail"
            if "%" in password
            else "holds characters that a URL changes"
        )
        yield Problem(
            "database",
            f"{PREFIX}_database_password",
            what,
            "use letters, digits, _ . ~ and - only, or leave it out: one is generated",
        )


@rule
def queue(context: Context) -> Iterator[Problem]:
    url = context.get("redis_url", None)
    if url is not None and (fault := redis_url_fault(str(url))):
        yield Problem(
            "queue",
            f"{PREFIX}_redis_url",
            fault,
            "give redis://:password@host:6379/0",
            value=Redactor().text(str(url)),
        )


# --- the host ------------------------------------------------------------------------------------


@rule
def user(context: Context) -> Iterator[Problem]:
    variable, name = f"{PREFIX}_user", str(context.get("user", "mission-control"))
    inspected = (context.host or {}).get("user") or {}
    if name == "root" or inspected.get("uid") == 0:
        yield Problem(
            "user",
            variable,
            "is the superuser, and the application must not run as that",
            "name an ordinary user; it is created when missing",
            value=name,
        )
    elif not _USER_NAME.fullmatch(name):
        yield Problem(
            "user",
            variable,
            "is no valid user name",
            "use lower-case letters, digits, _ and -, at most 32 of them",
            value=name,
        )
    elif inspected.get("exists") and inspected.get("system"):
        yield Problem(
            "user",
            variable,
            f"is a system account (UID {inspected.get('uid')}), and journalctl --user shows nothing of such",
            "name an ordinary user (UID 1000 or above) if that matters",
            value=name,
            warning=True,
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


@rule
def operating_system(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    system = context.host["os"]
    name, version = system["id"], _version(system["version"])
    shown = system.get("name") or f"{name} {system['version']}"
    remedy = "use Debian 13, or Ubuntu 24.04 or newer"
    subject = f"host {context.hostname}"
    if system.get("init") != "systemd":
        yield Problem(
            "operating_system", subject, "does not run systemd, which keeps the services", remedy, value=shown
        )
    if name == "debian" and version and version >= (13,):
        if version > (13, 99):
            yield _untested(subject, shown)
    elif name == "debian" and not version:
        # Testing and unstable name no version.
        yield _untested(subject, shown)
    elif name == "ubuntu" and version >= (24, 4):
        yield _untested(subject, shown)
    elif name in ("debian", "ubuntu"):
        yield Problem(
            "operating_system", subject, "is too old: its Python is older than 3.12", remedy, value=shown
        )
    else:
        yield Problem("operating_system", subject, "is not supported", remedy, value=shown)


def _untested(subject: str, shown: str) -> Problem:
    return Problem(
        "operating_system",
        subject,
        "has not been tested with this collection",
        "tell us how it went",
        value=shown,
        warning=True,
    )


@rule
def python(context: Context) -> Iterator[Problem]:
    if context.host is None or not context.runs("backend", "worker"):
        return
    found = context.host["python"]
    if not any(entry["suitable"] for entry in found):
        newest = found[0]["version"] if found else "none"
        yield Problem(
            "python",
            f"host {context.hostname}",
            "the backend needs Python 3.12 or newer",
            "use Debian 13 or Ubuntu 24.04, or install a newer Python as /usr/local/bin/python3.12",
            value=f"Python {newest}",
        )


@rule
def port_numbers(context: Context) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for port in context.ports:
        text = str(port.number)
        number = int(text) if re.fullmatch(r"\d{1,5}", text) else -1
        if not 1 <= number <= 65535:
            yield Problem(
                "port_numbers", port.variable, "is no port", "give a number from 1024 to 65535", value=text
            )
        elif number < 1024:
            yield Problem(
                "port_numbers",
                port.variable,
                "is a port that an ordinary user may not open",
                "give a number from 1024 to 65535 and put a proxy before it",
                value=text,
            )
        elif number in seen:
            yield Problem(
                "port_numbers",
                port.variable,
                f"is that of {seen[number]} too",
                "give another number",
                value=text,
            )
        else:
            seen[number] = port.variable


@rule
def ports_free(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    uid = (context.host.get("user") or {}).get("uid")
    adopted = _adopted_pids(context.host)
    for port in context.ports:
        for listener in context.host["listeners"]:
            if str(listener["port"]) != str(port.number) or _is_ours(listener, uid):
                continue
            if listener["pid"] in adopted:
                continue
            holder = listener["command"] or "a process"
            whose = f"{holder} (PID {listener['pid']}, user {listener.get('user', listener['uid'])})"
            unit = f" of {listener['unit']}" if listener.get("unit") else ""
            yield Problem(
                "ports_free",
                port.variable,
                f"is held by {whose}{unit}",
                _port_remedy(listener),
                value=str(port.number),
            )
            break


def _is_ours(listener: Mapping[str, Any], uid: int | None) -> bool:
    """A unit of this deployment, or the user's manager, which holds the sockets of socket units."""
    if uid is None or listener["uid"] != uid:
        return False
    unit = listener.get("unit") or ""
    own = unit.startswith(("mission-control-", "openclaw-mission-control-"))
    return own or listener["command"] == "systemd"


def _adopted_pids(host: Mapping[str, Any]) -> set[int]:
    """Processes of an installation that is taken over: they make way."""
    return {pid for process in (host.get("adoption") or {}).get("processes", ()) for pid in process["pids"]}


def _port_remedy(listener: Mapping[str, Any]) -> str:
    unit = str(listener.get("unit") or "")
    user = str(listener.get("user", ""))
    if user not in ("", "root") and re.match(r"(openclaw-)?mission-control-", unit):
        own = f"to take that installation over, set {PREFIX}_user to {user}"
        return f"{own}; else stop it, or choose another port"
    return "stop it, or choose another port"


@rule
def adoption(context: Context) -> Iterator[Problem]:
    """What is to be taken over; whether, and what about it the inventory has to say."""
    found = (context.host or {}).get("adoption")
    if not found or found["state"] == "done" or not context.runs("backend", "worker", "frontend"):
        return
    if str(context.get("adopt", True)).lower() in _FALSE:
        yield Problem(
            "adoption",
            f"{PREFIX}_adopt",
            f"is off, and there is an installation that was set up by hand in {found['tree']}",
            "set it to true to take that over (nothing of it is lost), or move it away",
        )
        return
    for variable, there, otherwise in undecided_addresses(found, context.variables):
        yield Problem(
            "adoption",
            variable,
            f"is not set: what was set up by hand has {there}, without it there would be {otherwise}",
            f"set {variable}: {there} to keep that, or another value to change it",
        )


def undecided_addresses(
    found: Mapping[str, Any], variables: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Addresses by which users and playbooks go: variable, what was found, what it would be otherwise."""
    given = {name: value for name, value in variables.items() if value not in (None, "")}
    base = str(found["settings"].get("BASE_URL", "")).rstrip("/")
    public = str(given.get(f"{PREFIX}_public_url", ""))
    derived = re.sub(r"^(https?://(?:\[[^\]]*\]|[^:/]*)).*$", r"\1:8000", public)
    if base and public and f"{PREFIX}_api_url" not in given and base != derived:
        yield f"{PREFIX}_api_url", base, derived
    for part, usual in (("backend", "8000"), ("frontend", "3000")):
        place = found["listens"].get(part)
        if not place:
            continue
        if place["port"] != usual and f"{PREFIX}_{part}_port" not in given:
            yield f"{PREFIX}_{part}_port", place["port"], usual
        if place["host"] not in EVERYWHERE + LOOPBACK and f"{PREFIX}_{part}_bind" not in given:
            yield f"{PREFIX}_{part}_bind", place["host"], EVERYWHERE[0]


@rule
def service_ports(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    expected = {
        "postgresql": (5432, {"postgres", "postmaster"}, "database_url"),
        "redis": (6379, {"redis-server", "valkey-server"}, "redis_url"),
    }
    for component, (number, commands, variable) in expected.items():
        if not context.runs(component) or context.get(variable, None) is not None:
            continue
        for listener in context.host["listeners"]:
            if listener["port"] == number and listener["command"] and listener["command"] not in commands:
                yield Problem(
                    "service_ports",
                    f"host {context.hostname}",
                    f"port {number} is of {listener['command']} (PID {listener['pid']}), not {component}",
                    f"stop it, or name the server that is to be used in {PREFIX}_{variable}",
                )
                break


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit in ("B", "kB", "MB") else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


@rule
def gateway_authority(context: Context) -> Iterator[Problem]:
    """OpenSSL says nothing of a file that is missing: the backend would trust nobody."""
    path = str(context.get("gateway_ca_path"))
    if not path:
        return
    inspected = ((context.host or {}).get("files") or {}).get(path)
    if not path.startswith("/"):
        fault, remedy = "is no absolute path", "name the file as the backends' hosts know it"
    elif inspected is not None and not inspected["exists"]:
        fault = f"is not there on {context.hostname}"
        remedy = "put the certificate (PEM) of the gateway's authority there, readable for everybody"
    else:
        return
    yield Problem("gateway_authority", f"{PREFIX}_gateway_ca_path", fault, remedy, value=path)


@rule
def maintenance(context: Context) -> Iterator[Problem]:
    """A deployment would migrate the database that somebody may be restoring just now."""
    notice = context.host.get("maintenance") if context.host is not None else ""
    if notice and context.get("deploy_in_maintenance", False) not in (True, "true", "True", "yes"):
        yield Problem(
            "maintenance",
            f"host {context.hostname}",
            f"is {notice}",
            "wait for its end, or end it (playbooks/maintenance.yml -e state=off); to deploy all the same, "
            f"while users go on seeing its page, set {PREFIX}_deploy_in_maintenance: true",
        )


@rule
def disk_space(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    for space in context.spaces:
        found = context.host["disk"].get(space.path)
        if found is None:
            continue
        free, where = found["available_bytes"], found["checked"]
        if free < space.needed:
            yield Problem(
                "disk_space",
                space.variable,
                f"has {_size(free)} free below {where}, and {_size(space.needed)} are needed",
                "make room, or choose another file system",
                value=space.path,
            )
        elif found["total_inodes"] and not found["available_inodes"]:
            # File systems such as btrfs count no inodes and say 0 for both.
            yield Problem(
                "disk_space",
                space.variable,
                f"has no inode left below {where}",
                "remove files",
                value=space.path,
            )


@rule
def memory(context: Context) -> Iterator[Problem]:
    if context.host is None:
        return
    found = context.host["memory"]
    total = found["total_bytes"]
    subject = f"host {context.hostname}"
    if context.memory and total < context.memory:
        yield Problem(
            "memory",
            subject,
            f"has {_size(total)} of memory, and {_size(context.memory)} are needed",
            "give it more memory",
        )
    elif context.runs("frontend") and total + found["swap_bytes"] < 1_900_000_000:
        yield Problem(
            "memory",
            subject,
            f"has {_size(total)} of memory and {_size(found['swap_bytes'])} of swap; "
            "building the frontend takes 1.5 GB",
            "add swap for the time of the build",
            warning=True,
        )


# --- the bundle ----------------------------------------------------------------------------------

_REMAKE = "make it anew with this inventory (playbooks/bundle.yml)"


@rule
def bundle(context: Context) -> Iterator[Problem]:
    told = context.bundle
    if told is None:
        return

    def problem(message: str, remedy: str = _REMAKE) -> Problem:
        return Problem("bundle", f"{PREFIX}_bundle", message, remedy, value=told.path)

    if told.fault:
        yield problem(told.fault, "name the file that playbooks/bundle.yml made, or copy it again")
        return
    if context.host is not None:
        yield from _unlike(context.hostname, context.host, told.manifest, problem)
        yield from _room_for_bundle(context, told)
    differing = [
        *_other_source(context, told),
        *_other_backend(context, told),
        *_other_frontend(context, told),
        *_other_gateway(context, told),
    ]
    for message in differing:
        yield problem(message)


def _unlike(
    hostname: str, host: Mapping[str, Any], manifest: Mapping[str, Any], problem: Callable[..., Problem]
) -> Iterator[Problem]:
    """One message with all in which the host is not like the machine that made the bundle."""
    made, system = manifest["system"], host["os"]
    found = {name: system[name] for name in ("id", "version", "architecture")}
    # As the backend's Python is chosen: the newest.
    suitable = [entry["version"] for entry in host["python"] if entry["suitable"]]
    found["python"] = suitable[0] if suitable else "none"
    if all(str(found[name]) == str(made[name]) for name in found):
        return
    here = f"{system.get('name') or system['id']}, {found['architecture']}, Python {found['python']}"
    there = f"{made['name']}, {made['architecture']}, Python {made['python']}"
    yield problem(
        f"was made for {there}, and {hostname} is {here}",
        "make one on a machine like the host: playbooks/bundle.yml -e bundle_host=NAME",
    )


def _room_for_bundle(context: Context, told: Bundle) -> Iterator[Problem]:
    assert context.host is not None  # noqa: S101
    space = context.host["disk"].get(told.directory)
    if space is None or (context.host["files"].get(f"{told.directory}/installed.json") or {}).get("exists"):
        return
    # Packages and wheels lie there twice.
    needed = sum(
        int(part["size"]) * (2 if part["kind"] in ("packages", "wheels") else 1)
        for part in told.manifest["parts"].values()
    )
    if space["available_bytes"] < needed:
        yield Problem(
            "bundle",
            f"{PREFIX}_bundle",
            f"needs {_size(needed)} below {told.directory}, and {_size(space['available_bytes'])} are free",
            "make room, or choose another common_bundle_directory",
            value=told.path,
        )


def _other_source(context: Context, told: Bundle) -> Iterator[str]:
    source = told.manifest.get("source")
    if not context.runs("backend", "worker", "frontend"):
        return
    if not source:
        yield "holds no application, which this host runs"
        return
    wanted = str(told.wishes.get("source_revision") or "")
    if source["kind"] == "git" and wanted and wanted not in (source["asked"], source["revision"]):
        yield f"holds the revision {source['asked']}, and {PREFIX}_revision is {wanted}"


def _other_backend(context: Context, told: Bundle) -> Iterator[str]:
    if not context.runs("backend", "worker") or not told.manifest.get("source"):
        return
    if "backend" not in told.manifest:
        yield "holds no packages of the backend, which this host runs"
    wanted = str(told.wishes.get("backend_uv_version") or "")
    if wanted and wanted != told.manifest.get("uv"):
        yield f"holds uv {told.manifest.get('uv')}, and backend_uv_version is {wanted}"


def _other_frontend(context: Context, told: Bundle) -> Iterator[str]:
    names = ("frontend_settings", "frontend_node_version", "frontend_fonts")
    if (
        not context.runs("frontend")
        or not told.manifest.get("source")
        or any(name not in told.wishes for name in names)
    ):
        return
    wanted = {
        **told.wishes["frontend_settings"],
        **(told.wishes.get("frontend_environment") or {}),
        "frontend_node_version": told.wishes["frontend_node_version"],
        "frontend_fonts": told.wishes["frontend_fonts"],
    }
    wanted = {name: str(value) for name, value in wanted.items()}
    differences = []
    for build in told.manifest.get("frontends") or ():
        held = {
            **build["environment"],
            "frontend_node_version": build["node"],
            "frontend_fonts": build["fonts"],
        }
        differing = sorted(name for name in held | wanted if held.get(name) != wanted.get(name))
        if not differing:
            return
        words = [
            f"{name} is {held.get(name) or 'nothing'}, here {wanted.get(name) or 'nothing'}"
            for name in differing
        ]
        differences.append((len(differing), "; ".join(words)))
    if differences:
        yield f"holds a frontend that was built with other settings: {min(differences)[1]}"
    else:
        yield "holds no frontend, which this host runs"


def _other_gateway(context: Context, told: Bundle) -> Iterator[str]:
    names = ("gateway_version", "gateway_node_version", "gateway_plugins")
    if not context.runs("gateway") or any(name not in told.wishes for name in names):
        return
    wanted = tuple(told.wishes[name] for name in names)
    held = [
        (tree["version"], tree["node"], list(tree["plugins"])) for tree in told.manifest.get("gateways") or ()
    ]
    if (str(wanted[0]), str(wanted[1]), list(wanted[2])) in held:
        return
    shown = ", ".join(_gateway_words(*tree) for tree in held) or "no gateway"
    yield f"holds {shown}, and this host runs {_gateway_words(*wanted)}"


def _gateway_words(version: str, node: str, plugins: Sequence[str]) -> str:
    return f"OpenClaw {version} with Node {node} and the plugins {', '.join(plugins) or 'none'}"
