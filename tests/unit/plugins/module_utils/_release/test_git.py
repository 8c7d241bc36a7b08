"""Sources behind a login: the real git and a server that asks for a password; where the password goes."""

from __future__ import annotations

import ast
import base64
import functools
import http.server
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files as _files
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import BuildCommands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import forms
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import git as _git
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import private_git, source
from ansible_collections.openclaw.mission_control.plugins.module_utils._release.source import (
    Request,
    SourceStore,
)

USER = "deploy@example.com"
PASSWORD = "hunter2 %41'\"$HOME`\\n:/@äö"
TOKEN = "glpat-0123456789abcdefghij"


def command_lines() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue


@dataclass
class Server:
    """Serves a directory to who logs in, and looks at all command lines while it is waited for."""

    directory: Path
    user: str = USER
    password: str = PASSWORD
    url: str = ""
    seen: set[str] = field(default_factory=set)
    logins: list[str | None] = field(default_factory=list)

    def with_login(self, login: str) -> str:
        return self.url.replace("://", f"://{login}@")

    def __call__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.seen.update(command_lines())
        login = handler.headers.get("Authorization")
        self.logins.append(login)
        path = self.directory / urlsplit(handler.path).path.lstrip("/")
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        status, body = 200, b""
        if login != f"Basic {expected}":
            status = 401
        elif path.is_file():
            body = path.read_bytes()
        else:
            status = 404
        handler.send_response(status)
        if status == 401:
            handler.send_header("WWW-Authenticate", 'Basic realm="sources"')
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "product"
    for name in ("backend/uv.lock", "frontend/package-lock.json"):
        (tree / name).parent.mkdir(parents=True)
        (tree / name).write_text(f"{name}\n")
    return tree


@pytest.fixture
def server(tree: Path, tmp_path: Path, serve: Callable[..., str]) -> Server:
    """A repository as plain files ("dumb protocol"), and the same as an archive."""
    served = tmp_path / "served"
    served.mkdir()
    git = functools.partial(subprocess.run, check=True, capture_output=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    git(["git", "-C", str(tree), "init", "--quiet", "--initial-branch=main"])
    git(["git", "-C", str(tree), "add", "."])
    git(["git", "-C", str(tree), *identity, "commit", "--quiet", "-m", "one"])
    git(["git", "clone", "--quiet", "--bare", str(tree), str(served / "product.git")])
    git(["git", "-C", str(served / "product.git"), "update-server-info"])
    with tarfile.open(served / "product.tar.gz", "w:gz") as file:
        file.add(tree / "backend", "product/backend")
        file.add(tree / "frontend", "product/frontend")
    server = Server(served)
    server.url = serve(server)
    return server


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    return SourceStore(tmp_path / "root")


@pytest.fixture
def commands(tmp_path: Path) -> BuildCommands:
    """With a host whose git would store every password, and a log that knows no secret."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[credential]\nhelper = store\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    return BuildCommands(tmp_path / "source.log", {**environment, "GIT_TRACE": str(tmp_path / "trace")})


def found_in(text: str, secret: str) -> list[str]:
    return [form for form in (*forms(secret), quote(secret)) if form in text]


def files_below(tmp_path: Path) -> str:
    skipped = {tmp_path / "served", tmp_path / "product"}
    files = (path for path in tmp_path.rglob("*") if path.is_file() and not skipped & set(path.parents))
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


def test_the_password_reaches_the_server_alone(
    server: Server, store: SourceStore, commands: BuildCommands, tmp_path: Path
) -> None:
    url = server.with_login(f"{quote(USER)}:{quote(PASSWORD, safe='')}") + "/product.git"
    brought = source.bring(store, Request("git", url, "main"), commands)
    assert brought["changed"] and (Path(brought["path"]) / "backend/uv.lock").exists()
    assert any("git-remote-http" in line for line in server.seen)
    told = (tmp_path / "trace").read_text()
    assert "git-remote-http" in told and "MISSION_CONTROL_GIT_PASSWORD" in told
    assert "git ls-remote http" in (tmp_path / "source.log").read_text()
    for text in ("\n".join(server.seen), files_below(tmp_path), str(brought)):
        assert found_in(text, PASSWORD) == []
    assert (store.base / "repository.git/config").exists()
    assert not (tmp_path / "home/.git-credentials").exists()
    assert f"://{quote(USER)}:********@" in brought["origin"]


def test_by_commit_and_with_a_token_in_the_place_of_the_user(
    server: Server, store: SourceStore, commands: BuildCommands, tmp_path: Path
) -> None:
    server.user, server.password = TOKEN, ""
    argv = ["git", "-C", str(server.directory / "product.git"), "rev-parse", "main"]
    commit = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    url = server.with_login(TOKEN) + "/product.git"
    brought = source.bring(store, Request("git", url, commit), commands)
    assert brought["revision"] == commit
    for text in ("\n".join(server.seen), files_below(tmp_path), str(brought)):
        assert found_in(text, TOKEN) == []


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ("", "asks for a login"),
        ("deploy@", "asks for a login"),
        ("deploy:wrong-password@", "does not accept the login in it"),
    ],
)
def test_without_the_password_one_message_says_so_and_nobody_is_asked(
    server: Server, store: SourceStore, commands: BuildCommands, tmp_path: Path, login: str, said: str
) -> None:
    url = server.url.replace("://", f"://{login}") + "/product.git"
    with pytest.raises(DeploymentError, match=f"mission_control_source, http.*{said}") as error:
        source.bring(store, Request("git", url, "main"), commands)
    assert error.value.kind == "no_login" and "https://user:token@host/path" in error.value.remedy
    assert "wrong-password" not in str(error.value.result()) + files_below(tmp_path)
    assert not any("wrong-password" in line for line in server.seen)


def test_a_commit_behind_a_login_is_asked_for_once(
    server: Server, store: SourceStore, commands: BuildCommands
) -> None:
    with pytest.raises(DeploymentError, match=r"Fetching 000000000000 failed.*asks for a login"):
        source.bring(store, Request("git", f"{server.url}/product.git", "0" * 40), commands)


def test_another_server_to_which_this_one_redirects_does_not_get_it(
    server: Server, store: SourceStore, commands: BuildCommands, serve: Callable[..., str]
) -> None:
    def redirect(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", server.url + handler.path)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    first = serve(redirect).replace("://", f"://{quote(USER)}:{quote(PASSWORD, safe='')}@")
    with pytest.raises(DeploymentError) as error:
        source.bring(store, Request("git", f"{first}/product.git", "main"), commands)
    assert error.value.kind == "no_login"
    archive = Request("url", f"{first}/product.tar.gz", checksum="sha256:" + "0" * 64)
    with pytest.raises(DeploymentError, match="the server answers 401"):
        source.bring(store, archive, commands)
    assert set(server.logins) == {None}


def test_an_archive_behind_a_login(
    server: Server, store: SourceStore, commands: BuildCommands, tmp_path: Path
) -> None:
    digest = _files.file_digest(server.directory / "product.tar.gz")
    url = server.with_login(f"{quote(USER)}:{quote(PASSWORD, safe='')}") + "/product.tar.gz"
    brought = source.bring(store, Request("url", url, checksum=f"sha256:{digest}"), commands)
    assert (Path(brought["path"]) / "backend/uv.lock").exists()
    for text in (files_below(tmp_path), str(brought)):
        assert found_in(text, PASSWORD) == []


@pytest.mark.parametrize(
    ("url", "plain", "login"),
    [
        ("https://h.example/p.git", "https://h.example/p.git", None),
        ("https://deploy@h.example/p.git", "https://deploy@h.example/p.git", None),
        ("https://u:p%40w@h.example:8443/p.git", "https://h.example:8443/p.git", ("u", "p@w")),
        ("https://u:p@w@h.example/p.git", "https://h.example/p.git", ("u", "p@w")),
        ("https://u:@h.example/p.git", "https://h.example/p.git", ("u", "")),
        (f"https://{TOKEN}@h.example/p.git", "https://h.example/p.git", (TOKEN, "")),
        (f"https://{TOKEN}:oauth@h.example/p.git", "https://h.example/p.git", (TOKEN, "oauth")),
        ("ssh://git:pw@h.example/p.git", "ssh://git@h.example/p.git", None),
        ("git@h.example:p.git", "git@h.example:p.git", None),
        ("file:///srv/p@1.git", "file:///srv/p@1.git", None),
    ],
)
def test_logins_are_taken_out_of_urls(url: str, plain: str, login: tuple[str, str] | None) -> None:
    found = _git.split_login(url)
    assert found == (plain, login and _git.Login(*login))
    assert not login or not login[1] or login[1] not in repr(found[1])


@pytest.mark.parametrize("password", ["a%0Ab", "a%00b", "a%0Db"])
def test_a_line_break_in_a_password_is_refused(password: str) -> None:
    with pytest.raises(DeploymentError, match="holds a line break") as error:
        _git.split_login(f"https://u:{password}@h.example/p.git")
    assert password not in str(error.value)


def test_what_is_shown_of_a_url() -> None:
    shown = _git.without_password
    assert shown(f"https://{TOKEN}@h.example/p.git") == "https://********@h.example/p.git"
    assert shown(f"https://{TOKEN}:x-oauth@h.example/p") == "https://********:********@h.example/p"
    assert shown("https://deploy@h.example/p.git") == "https://deploy@h.example/p.git"
    with pytest.raises(DeploymentError) as error:
        source.kind_of("htps://u:hunter2@h.example/p.git", lambda _path: False)
    assert "hunter2" not in str(error.value)


# --- fetched by root ------------------------------------------------------------------------------

# What a user's own processes may learn of all others: command lines and environments.
LOOK = """
import pathlib, sys
secret, found = sys.stdin.read(), []
for process in pathlib.Path("/proc").glob("[0-9]*"):
    for name in ("cmdline", "environ"):
        try:
            if secret in (process / name).read_bytes().decode("utf-8", "replace"):
                found.append(name)
        except OSError:
            pass
print(found)
"""


@dataclass
class Watched(Server):
    """A server that has root and another user look for the password while it is used."""

    found: dict[str, set[str]] = field(default_factory=dict)

    def __call__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        for user in ("root", "nobody"):
            # The one that every user may run.
            argv = ["/usr/bin/python3", "-I", "-c", LOOK]
            options: dict[str, Any] = {"user": user, "group": 65534, "extra_groups": []}
            done = subprocess.run(
                argv, input=self.password, capture_output=True, text=True, check=True, cwd="/", **options
            )
            self.found.setdefault(user, set()).update(ast.literal_eval(done.stdout))
        super().__call__(handler)


@pytest.fixture
def by_user(store: SourceStore, commands: BuildCommands) -> tuple[Callable[[Request], Any], list[Request]]:
    """What the application's user does, and what it was asked."""
    asked: list[Request] = []

    def bring(request: Request) -> Any:
        asked.append(request)
        return source.bring(store, request, commands)

    return bring, asked


@pytest.mark.parametrize("revision", ["main", "commit"])
def test_root_fetches_what_is_behind_a_login_and_the_user_gets_a_file(
    server: Server,
    by_user: tuple[Callable[[Request], Any], list[Request]],
    tmp_path: Path,
    revision: str,
) -> None:
    bring, asked = by_user
    argv = ["git", "-C", str(server.directory / "product.git"), "rev-parse", "main"]
    commit = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    url = server.with_login(f"{quote(USER)}:{quote(PASSWORD, safe='')}") + "/product.git"
    request = Request(
        "git",
        url,
        commit if revision == "commit" else "main",
        environment={"https_proxy": "http://u:p@proxy"},
    )
    foretold = private_git.bring(replace(request, check_mode=True), bring, tmp_path / "var/source")
    assert (foretold["changed"], foretold["revision"], foretold["path"]) == (True, commit, None)
    brought = private_git.bring(request, bring, tmp_path / "var/source")
    assert brought["changed"] and brought["revision"] == commit and brought["kind"] == "git"
    assert (Path(brought["path"]) / "backend/uv.lock").exists()
    again = private_git.bring(request, bring, tmp_path / "var/source")
    assert not again["changed"] and again["path"] == brought["path"]
    assert asked and all(
        told.environment == {} and told.source == f"{server.url}/product.git" for told in asked
    )
    assert found_in(repr(asked) + files_below(tmp_path), PASSWORD) == []
    # Git ran below root's directory, and nothing was left there but the repository and its log.
    assert not (tmp_path / "source.log").exists() and not (tmp_path / "trace").exists()
    assert {path.name for path in (tmp_path / "var/source").iterdir()} == {"repository.git", "git.log"}
    assert (tmp_path / "var/source").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user than the one who looks")
def test_no_other_user_sees_the_login_while_it_is_used(
    server: Server,
    by_user: tuple[Callable[[Request], Any], list[Request]],
    tmp_path: Path,
    serve: Callable[..., str],
) -> None:
    watched = Watched(server.directory, password="Secret-of-this-repository-7f3a")
    watched.url = serve(watched)
    login = f"{quote(USER)}:{watched.password}"
    request = Request("git", watched.with_login(login) + "/product.git", "main")
    assert private_git.needed(request, "nobody") and not private_git.needed(request, "root")
    assert private_git.bring(request, by_user[0], tmp_path / "var/source")["changed"]
    # That root sees it shows that it was there to be seen.
    assert watched.found == {"root": {"environ"}, "nobody": set()}


@pytest.mark.parametrize("url", ["https://git.example/a.git", "ssh://git@git.example/a.git"])
def test_a_source_without_a_login_is_the_users_own_affair(url: str) -> None:
    assert not private_git.needed(Request("git", url, "main"), "mission-control")


def test_what_root_fetches_has_to_be_named(tmp_path: Path) -> None:
    for revision in ("", "--upload-pack=x"):
        with pytest.raises(DeploymentError, match="mission_control_revision"):
            private_git.bring(Request("git", "https://u:p@h/a.git", revision), lambda told: {}, tmp_path)
