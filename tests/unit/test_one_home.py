"""Facts that have one home: a second one is a mistake in the making, because one day the two disagree.

Each test looks for what a second home would look like. Where one of these finds something that is none,
say so in its pattern, with the reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.components import PORTS
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.protocol import (
    DEFAULT_VERSION,
    SPANS,
    versions_for,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.formats import (
    RENDERERS,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.names import REPORTS

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"


def sources(*places: str, suffixes: tuple[str, ...] = (".py", ".yml", ".j2")) -> Iterator[Path]:
    """The files of folders of the repository."""
    for place in places:
        top = ROOT / place
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.suffix in suffixes and path.is_file() and "node_modules" not in path.parts:
                yield path


def lines(pattern: str, *places: str, home: tuple[str, ...] = ()) -> list[str]:
    """Lines that look like a fact which lives elsewhere, without those of its home."""
    found = []
    for path in sources(*(places or ("plugins", "roles", "playbooks"))):
        name = str(path.relative_to(ROOT))
        if name in home:
            continue
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(pattern, text, re.MULTILINE):
            number = text.count("\n", 0, match.start()) + 1
            found.append(f"{name}:{number}: {text.splitlines()[number - 1].strip()}")
    return found


# --- what is secret --------------------------------------------------------------------------------

SECRET_WORDS = "token|secret|passw|passphrase|credential|private|dsn|cookie|api.{0,6}key"
# Two of the words as alternatives of one expression: the beginning of a definition of what is secret.
SECRET_ALTERNATIVES = rf"(?i)(?:{SECRET_WORDS})[\w()?]{{0,12}}\|[\w(?:]{{0,6}}(?:{SECRET_WORDS})"
# Three as members of a list.
SECRET_LIST = re.compile(rf"(?i)(?:{SECRET_WORDS})s?")


def test_what_is_secret_is_defined_in_redaction_alone() -> None:
    home = "plugins/module_utils/_redaction.py"
    assert (
        lines(SECRET_ALTERNATIVES, "plugins", "roles", "playbooks", "molecule/shared", "docs", home=(home,))
        == []
    )
    assert re.search(SECRET_ALTERNATIVES, (ROOT / home).read_text())
    lists = []
    for path in sources("plugins", suffixes=(".py",)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
                texts = [
                    n.value for n in node.elts if isinstance(n, ast.Constant) and isinstance(n.value, str)
                ]
                if sum(bool(SECRET_LIST.fullmatch(text)) for text in texts) > 2:
                    lists.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert lists == []


@pytest.mark.parametrize(
    "line",
    [
        '_SECRETIVE = re.compile(r"PASS|PRIVATE|CREDENTIAL|KEY|DSN")',
        r'r"(?i)(^|[_-])(token|secret|passw(or)?d|passphrase)"',
        r"--[\w-]*(?:token|secret|password|key)[= ]",
    ],
)
def test_a_second_definition_would_be_noticed(line: str) -> None:
    assert re.search(SECRET_ALTERNATIVES, line)


# --- addresses and ports ---------------------------------------------------------------------------

# "Everywhere" told from other addresses: such an address in a comparison or among alternatives.
EVERYWHERE = r"""(?x) (?:==|!=|\bin\b) \s* [\[({]* [^\n]{0,24} ["'](?:0\.0\.0\.0|::|\[::\])["']
    | ["'](?:0\.0\.0\.0|::|\*)["'] \s* [,:] \s* ["'](?:0\.0\.0\.0|::|\*|127\.0\.0\.1|::1|any)["']
    | ^ \s* (?:-\s+)? ["']?(?:0\.0\.0\.0|::)["']? (?::\s+any)? $"""
# The loopback address told from others in the same way.
LOOPBACK = r"""(?x) (?:==|!=|\bin\b) \s* (?:["'] | [\[({][^\n]{0,40}["'])(?:127\.0\.0\.1|::1)["']
    | ["'](?:localhost|127\.0\.0\.1|::1)["'] \s* , \s* ["'](?:localhost|127\.0\.0\.1|::1)["']
    | \.is_loopback\b(?!\()"""
# IPv6 put into brackets by hand, or an address put together with its port in a template.
BRACKETS = r"""['"]\[['"]\s*~|f["'][^"']*\[\{\w*(?:host|address)|ListenStream=\{\{[^}|]*\}\}:"""
ADDRESSES = ("plugins/module_utils/_host/addresses.py", "plugins/module_utils/_host/reachable.py")
# Runs in the frontend's Node.js, where no Python is.
LISTEN = "roles/frontend/files/listen.cjs"


@pytest.mark.parametrize(
    "pattern", [EVERYWHERE, LOOPBACK, BRACKETS], ids=["everywhere", "loopback", "brackets"]
)
def test_what_an_address_means_is_said_beside_addresses_alone(pattern: str) -> None:
    assert lines(pattern, home=ADDRESSES) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (EVERYWHERE, "{{ '127.0.0.1' if backend_bind in ['0.0.0.0', ''] else backend_bind }}"),
        (EVERYWHERE, 'EVERYWHERE = ("0.0.0.0", "::", "*")'),
        (EVERYWHERE, "__command_any: ['', 0.0.0.0, '::', '*']"),
        (EVERYWHERE, '  "::": any'),
        (EVERYWHERE, 'host = {"0.0.0.0": "127.0.0.1"}.get(address, address)'),
        (LOOPBACK, 'LOOPBACK = ("", "localhost", "127.0.0.1", "::1")'),
        (LOOPBACK, "return ipaddress.ip_address(host).is_loopback"),
        (BRACKETS, "'[' ~ host ~ ']' if ':' in host else host"),
        (BRACKETS, "ListenStream={{ backend_bind }}:{{ backend_port }}"),
    ],
)
def test_another_opinion_about_addresses_would_be_noticed(pattern: str, line: str) -> None:
    assert re.search(pattern, line, re.MULTILINE)


# --- files, links, moments, sizes ------------------------------------------------------------------

# What is written beside its place and put there. What is built for a while as `partial`, such as a bundle's
# archive, is another matter.
REPLACED = r"mkstemp\(|NamedTemporaryFile|os\.replace\(|\b(?:Path\(\w+\)|temporary)\.replace\(|\.new\b[\"')]"
# Links that lead elsewhere from one moment to the next; those in a tree that is being built lead nowhere yet.
POINTED = r"(?s)symlink_to\([^)]*\)\s+\w+\.replace\("
# The forms of moments. A date of a database's own, and how a page shows a moment, are none.
MOMENTS = r"strftime\(|strptime\(|(?<!value)\.isoformat\(|gmtime\("
# Numbers of bytes made readable: a unit behind a number that was divided.
SIZES = (
    r"\{[^}\n]*(?:/|//)\s*(?:1024|1_?000_?000|1e6|1 ?<< ?\d+)[^}\n]*\}"
    r"|\(\s*[\"']k?B[\"'],\s*[\"'](?:[KM]i?B|kB)"
)


# Names of units in code; messages and examples name them in the middle of words.
UNIT = (
    r"""(?<=[\[( ])["'](?:mission-control(?:-(?:backend|worker|frontend)|\.target)|openclaw-gateway)"""
    r"""(?:\.\w+)?["']"""
)
# Where the product keeps its migrations. The check finds those of other layouts, too.
MIGRATIONS = r"""["']migrations["'] ?/ ?["']versions["']"""
UPLOAD = r"_transfer_file\(|_make_tmp_path\("
# The form of an Ed25519 public key, and who calls openssl for one.
KEYS = r"(?i)302a300506032b65|[\"']openssl[\"']\s*,(?!\s*[\"']?rand)"


@pytest.mark.parametrize(
    ("pattern", "homes"),
    [
        # units.py stages several files and puts all of them in place, by the one writer's other half.
        (REPLACED, ("plugins/module_utils/_host/files.py", "plugins/module_utils/_host/units.py")),
        (POINTED, ("plugins/module_utils/_host/files.py",)),
        # A certificate's end is read in the form that TLS has.
        (
            MOMENTS,
            (
                "plugins/module_utils/_times/record_stamps.py",
                "plugins/module_utils/_times/stamps.py",
                "plugins/module_utils/_times/timestamps.py",
                "plugins/module_utils/_verify/checks/frontend.py",
            ),
        ),
        (SIZES, ("plugins/module_utils/_times/amounts.py",)),
        (KEYS, ("plugins/module_utils/_gateway/identity.py",)),
        (UPLOAD, ("plugins/plugin_utils/_upload.py",)),
        (MIGRATIONS, ("plugins/module_utils/_application/migrations.py",)),
        # The module's example asks for one; a directory of the gateway's has the same name.
        (
            UNIT,
            (
                "plugins/module_utils/_application/components.py",
                "plugins/modules/host_info.py",
                "plugins/module_utils/_gateway/holder.py",
            ),
        ),
    ],
    ids=["replaced files", "links", "moments", "sizes", "keys", "uploads", "migrations", "units"],
)
def test_it_is_done_in_one_place(pattern: str, homes: tuple[str, ...]) -> None:
    assert lines(pattern, "plugins", home=homes) == []
    assert re.search(pattern, (ROOT / homes[0]).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REPLACED, 'handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")'),
        (REPLACED, "Path(temporary).replace(path)"),
        (POINTED, "    temporary.symlink_to(target)\n    temporary.replace(link)"),
        (MOMENTS, 'time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())'),
        (MOMENTS, 'datetime.fromtimestamp(begun, UTC).isoformat(timespec="milliseconds")'),
        (SIZES, 'f"{place} has {free // 1_000_000} MB left"'),
        (SIZES, 'for unit in ("B", "kB", "MB", "GB"):'),
    ],
)
def test_another_place_would_be_noticed(pattern: str, line: str) -> None:
    assert re.search(pattern, line, re.MULTILINE)


# --- ports -----------------------------------------------------------------------------------------

# A default port in code: behind an = or a comma, or under the key of one. What a URL without a port means is
# the scheme's affair (`parts.port or 5432`), and so are examples in texts.
NUMBERS = "|".join(str(PORTS[name]) for name in ("backend", "frontend", "gateway", "postgresql", "redis"))
PORT = rf"""(?<![\w.])(?:= ?|, ?|default["']: |port["']: ["']?)(?:{NUMBERS})\b"""


def test_default_ports_are_said_in_components_alone() -> None:
    # What foreign programs listen on by themselves is another fact, of the adoption's.
    home = ("plugins/module_utils/_application/components.py", "plugins/module_utils/_adoption/discovery.py")
    # Modules say their options' defaults themselves, as Ansible wants it; the next test compares.
    found = [line for line in lines(PORT, "plugins", home=home) if not line.startswith("plugins/modules/")]
    assert [line for line in found if "doc_fragments" not in line] == []


def test_defaults_of_roles_and_modules_are_the_same_ports() -> None:
    compared = 0
    for path in sources("roles", "playbooks", suffixes=(".yml",)):
        text = path.read_text(encoding="utf-8")
        told = re.findall(r"mission_control_(\w+)_port \| default\((\d+)", text)
        told += re.findall(r"^(\w+)_port: (\d+)$", text, re.MULTILINE)
        for component, port in told:
            compared += 1
            assert int(port) == PORTS[component], path
    for path in sorted((ROOT / "plugins/modules").glob("gateway*.py")):
        found = re.search(r'^DOCUMENTATION = r"""(.*?)"""', path.read_text(), re.MULTILINE | re.DOTALL)
        options = yaml.safe_load(found[1]).get("options", {}) if found else {}
        if (port := options.get("port", {}).get("default")) is not None:
            compared += 1
            assert port == PORTS["gateway"], path
    assert compared > 8


def test_the_backends_address_in_options_has_its_port() -> None:
    """Modules say their defaults themselves, so that the documentation can be compared with the code."""
    compared = 0
    for path in sources("plugins/modules", "plugins/doc_fragments", suffixes=(".py",)):
        text = path.read_text(encoding="utf-8")
        for port in re.findall(r"default['\"]?: ['\"]?http://127\.0\.0\.1:(\d+)", text):
            compared += 1
            assert int(port) == PORTS["backend"], path
    assert compared > 6


def test_texts_tell_the_default_ports() -> None:
    """What is documented of roles is a text where the default is derived."""
    compared = 0
    for path in sources("roles", suffixes=(".yml",)):
        text = path.read_text(encoding="utf-8")
        for component, port in re.findall(r"mission_control_(\w+)_port\)?, or else (\d+)", text):
            compared += 1
            assert int(port) == PORTS[component], path
    assert compared > 2
    assert f"; {PORTS['backend']} and {PORTS['frontend']} |" in (ROOT / "README.md").read_text()
    row = r"\| `mission_control_gateway_port`[^|]*\| (\d+)"
    assert re.findall(row, (ROOT / "docs/gateway.md").read_text()) == [str(PORTS["gateway"])]


# --- OpenClaw's default version --------------------------------------------------------------------

# Where the version stands as text, because Ansible wants it so or because it is read by people; what is
# searched for is all of a version that could be the default.
OPENCLAW = r"\d{4}\.\d+\.\d+"
DEFAULT_TEXTS = (
    ("plugins/modules/gateway_install.py", rf"default: ({OPENCLAW})$"),
    ("plugins/module_utils/_verify/checks/gateway.py", rf"({OPENCLAW}) fits the default revision"),
    ("roles/gateway/defaults/main.yml", rf"mission_control_gateway_version \| default\('({OPENCLAW})'\)"),
    ("roles/gateway/meta/argument_specs.yml", rf"mission_control_gateway_version\), or else ({OPENCLAW})"),
    ("README.md", rf"\| OpenClaw gateway \| ({OPENCLAW}) "),
    ("docs/gateway.md", rf"\| `mission_control_gateway_version` \| ({OPENCLAW}) "),
)


@pytest.mark.parametrize(("path", "pattern"), DEFAULT_TEXTS, ids=[path for path, _ in DEFAULT_TEXTS])
def test_the_default_version_of_openclaw_is_told_right(path: str, pattern: str) -> None:
    assert re.findall(pattern, (ROOT / path).read_text(), re.MULTILINE) == [DEFAULT_VERSION]


def test_no_other_place_names_the_default_version() -> None:
    # Texts for people that name what was seen with just that version, and samples.
    seen = (
        "plugins/modules/gateway_install.py",
        "plugins/module_utils/_gateway/protocol.py",
        *(path for path, _ in DEFAULT_TEXTS),
    )
    found = lines(
        rf"(?<![\d.]){re.escape(DEFAULT_VERSION)}(?![\d.])", "plugins", "roles", "playbooks", home=seen
    )
    # A size that was measured.
    assert [line for line in found if "# A tree of" not in line] == []


def test_the_table_of_versions_is_told_right() -> None:
    text = (ROOT / "docs/gateway.md").read_text()
    for protocol in sorted({span.protocol for span in SPANS}):
        assert f"| {versions_for((protocol, protocol))} | {protocol} |" in text


# --- formats of reports ----------------------------------------------------------------------------


def test_the_formats_of_reports_are_listed_once() -> None:
    assert tuple(RENDERERS) == REPORTS
    listed = r"""["']?\bjunit["']?, ["']?prometheus\b"""
    found = lines(listed, home=("plugins/module_utils/_verify/reports/names.py",))
    # Ansible wants the choices of an option spelt out in its documentation.
    documented = f"choices: [{', '.join(REPORTS)}]"
    assert [line for line in found if documented not in line] == []
    options = yaml.safe_load((ROOT / "roles/verify/meta/argument_specs.yml").read_text())["argument_specs"]
    assert options["main"]["options"]["verify_reports"]["choices"] == list(REPORTS)
    for path, told in (("README.md", "verify_reports"), ("docs/operations.md", "--format")):
        text = (ROOT / path).read_text().lower().splitlines()
        rows = [line for line in text if told in line and "junit" in line]
        missing = [name for name in REPORTS if not any(name in row for row in rows)]
        assert rows and missing == [], path


# --- words -----------------------------------------------------------------------------------------

# "X is no Y", which is not how the field says it. That there is none of something is another matter.
IS_NO = re.compile(r"(?<!there)(?<!There) (?:is|are) no(?:ne\b(?! of)| (?!longer|more))")
# Known, and to end with the files that they stand in.
STILL = ("_verify/context.py", "module_utils/_http/reasons.py")


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """The texts in a file of Python that are not its documentation, or those that a playbook shows."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        for number, line in enumerate(text.splitlines(), 1):
            if not re.match(r"\s*(#|when:|that:|- [a-z_]\w*\.)", line) and re.search(
                r"msg|[\"'].* is no", line
            ):
                yield number, line
        return
    tree = ast.parse(text)
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.lineno, node.value


def test_messages_say_is_not_a() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in sources("plugins", "playbooks", "roles")
        if "doc_fragments" not in path.parts
        for number, text in messages(path)
        if "\noptions:" not in text and "\ndescription:" not in text
        for match in IS_NO.finditer(text)
    ]
    assert [line for line in found if not any(name in line for name in STILL)] == []


@pytest.mark.parametrize("text", ["'x' is no duration", "is none. Use list or json.", " are no settings"])
def test_other_words_would_be_noticed(text: str) -> None:
    assert IS_NO.search(f" {text}")


@pytest.mark.parametrize("text", ["There is no unit x", "it is no longer checked", "is none of these"])
def test_what_is_missing_may_be_said(text: str) -> None:
    assert not IS_NO.search(text)
