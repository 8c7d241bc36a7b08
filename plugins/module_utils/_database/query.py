# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to the database that can only read. The server sees to it, not a list of forbidden words.

A question is opened as a cursor inside of a read-only transaction. The server refuses to open one over
several statements or over a command that returns no rows. What writes fails in such a transaction, which
cannot be made writable again. Rows are fetched up to a limit, so an answer stays small.
"""

from __future__ import annotations

import base64
import math
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from .._application.installation import Installation
from .._host.accounts import Account
from .._host.errors import HostError
from .._host.libraries import MissingLibraryError
from .._host.memory_bound import in_memory
from .._host.privileges import as_user
from .._redaction import MASK, Redactor, is_secret
from .address import AddressError, libpq_url
from .login import load_psycopg2, refusal

# The server runs the text of the question as one cursor; it reads the text from a setting of this session.
_OPEN = (
    "DO $question$ DECLARE question refcursor := 'mission_control_question'; "
    "BEGIN OPEN question FOR EXECUTE current_setting('mission_control.question'); END $question$"
)
_ONLY = "Ask one question that only reads: SELECT, WITH ... SELECT, VALUES, TABLE, SHOW or EXPLAIN."
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


class QueryError(HostError):
    """Why there is no answer, without any secret."""

    def __init__(self, kind: str, message: str, remedy: str = "") -> None:
        super().__init__(message, kind=kind, remedy=remedy)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


@dataclass
class Answer:
    """What the server said."""

    columns: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    truncated: bool = False
    duration_ms: float = 0.0

    def records(self) -> list[dict[str, Any]]:
        """The rows by the names of their columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def first_word(question: str) -> str:
    """The word that says what a statement does, in upper case."""
    words = _COMMENT.sub(" ", question).replace("(", " ").split()
    return words[0].upper().rstrip(";") if words else ""


def plain(value: Any) -> Any:
    """A value of the database as JSON can carry it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if type(value).__name__ == "Decimal":
        if not value.is_finite():
            return str(value)
        return int(value) if value == value.to_integral_value() and abs(value) < 1e15 else float(value)
    return str(value)


def unique(names: Sequence[str]) -> list[str]:
    """Names of columns that differ: a second `id` becomes `id_2`."""
    found: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found.append(candidate)
    return found


def _message(error: Any) -> str:
    text = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return next((line.strip() for line in str(text).splitlines() if line.strip()), type(error).__name__)


def _too_large() -> QueryError:
    return QueryError(
        "too_large",
        "The answer takes more memory than there is for one.",
        "Ask for fewer rows (LIMIT) or for the beginning of long texts: left(column, 200).",
    )


def explain(error: Any, question: str, statement_timeout: float) -> QueryError:
    """The server's refusal in the operator's terms."""
    state = getattr(error, "pgcode", None) or ""
    message = _message(error)
    word = first_word(question) or "this"
    if not state and "out of memory" in message:
        return _too_large()
    if "multi-query" in message:
        return QueryError("several_statements", "The query holds several statements; none was run.", _ONLY)
    if state == "42P11":
        return QueryError("not_a_question", f"{word} is not a question; it was not run.", _ONLY)
    if state == "25006":
        return QueryError("read_only", f"The query would write ({message}); nothing was changed.", _ONLY)
    if state == "57014":
        return QueryError(
            "timeout",
            f"The query took longer than {statement_timeout:g} s and was ended by the server.",
            "Narrow it down (WHERE, LIMIT), or raise timeout.",
        )
    if state == "55P03":
        return QueryError(
            "locked",
            "The query waited too long for a lock that another session holds.",
            "Ask again, or see who holds it: SELECT pid, query FROM pg_stat_activity WHERE state <> 'idle'.",
        )
    if state in ("42P01", "42703", "42883"):
        return QueryError(
            "unknown_name",
            f"The database does not know this: {message}.",
            "Its tables are listed by SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'public'.",
        )
    if state == "42501":
        return QueryError(
            "not_permitted", f"The application's role may not read this: {message}.", "Ask as another role."
        )
    if state.startswith("42"):
        where = getattr(getattr(error, "diag", None), "internal_position", None)
        place = f" (at character {where})" if where else ""
        return QueryError("syntax", f"The server does not understand the query: {message}{place}.", "")
    return QueryError("failed", f"The server refused the query: {message} ({state or 'no code'}).", "")


def ask(
    url: str,
    question: str,
    *,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
    limit: int = 1000,
    statement_timeout: float = 10.0,
    connect_timeout: float = 10.0,
    application_name: str = "mission-control-query",
    where: str = "this host",
    redactor: Redactor | None = None,
    connect: Any = None,
    clock: Any = time.monotonic,
) -> Answer:
    """One answer. Raises QueryError; no error carries the password."""
    redactor = redactor or Redactor()
    if not first_word(question):
        raise QueryError("empty", "The query is empty.", _ONLY)
    if "\0" in question:
        raise QueryError("syntax", "The query holds a NUL character, which PostgreSQL does not take.")
    try:
        password = urlsplit(url).password
        dsn = libpq_url(url)
    except ValueError as error:
        summary = str(error) if isinstance(error, AddressError) else "it is not an address"
        raise QueryError(
            "bad_url",
            f"The database's address cannot be used: {redactor.text(summary)}.",
            "It has the form postgresql://user:password@host:5432/database (or postgresql+psycopg://...).",
        ) from None
    redactor.add(password, unquote(password or ""))
    psycopg2 = load_psycopg2()
    started = clock()
    try:
        connection = (connect or psycopg2.connect)(
            dsn,
            passfile=os.devnull,
            connect_timeout=max(2, math.ceil(connect_timeout)),
            application_name=application_name,
            # A server that vanishes is noticed; the time of a statement the server itself bounds.
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )
    except psycopg2.Error as error:
        problem = refusal(redactor.text(str(error)), url, where)
        raise QueryError(
            problem.kind or "no_connection",
            redactor.text(f"{problem.summary}: {problem.cause}".rstrip(": ")),
            redactor.text(problem.remedy),
        ) from None
    try:
        return _ask(connection, question, parameters, limit, statement_timeout, redactor, started, clock)
    except MemoryError:
        raise _too_large() from None
    except psycopg2.Error as error:
        found = explain(error, question, statement_timeout)
        raise QueryError(found.kind, redactor.text(found.message), found.remedy) from None
    finally:
        connection.close()


def _ask(
    connection: Any,
    question: str,
    parameters: Sequence[Any] | Mapping[str, Any] | None,
    limit: int,
    statement_timeout: float,
    redactor: Redactor,
    started: float,
    clock: Any,
) -> Answer:
    # The transaction begins as BEGIN READ ONLY. Its first query, which sets time-outs, fixes that for good.
    connection.set_session(readonly=True, autocommit=False)
    milliseconds = max(1, round(statement_timeout * 1000))
    with connection.cursor() as cursor:
        text = question
        if parameters:
            try:
                text = cursor.mogrify(question, parameters).decode()
            except (TypeError, ValueError, IndexError, KeyError) as error:
                raise QueryError(
                    "bad_parameters",
                    f"The parameters do not fit the query ({type(error).__name__}: {error}).",
                    "A list fills %s in order, a dictionary fills %(name)s; a plain % is written %%.",
                ) from None
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true),"
            " set_config('mission_control.question', %s, true)",
            (str(milliseconds), str(milliseconds), text),
        )
        cursor.execute(_OPEN)
        cursor.execute(f"FETCH FORWARD {int(limit) + 1} FROM mission_control_question")
        columns = unique([str(column.name) for column in cursor.description or ()])
        codes = sorted({int(column.type_code) for column in cursor.description or ()})
        order = [int(column.type_code) for column in cursor.description or ()]
        rows = [[plain(value) for value in row] for row in cursor.fetchall()]
        names: dict[int, str] = {}
        if codes:
            cursor.execute(
                "SELECT oid::int8, format_type(oid, NULL) FROM pg_type WHERE oid = ANY(%s)", (codes,)
            )
            names = {int(code): str(name) for code, name in cursor.fetchall()}
    connection.rollback()
    return Answer(
        columns=columns,
        types=[names.get(code, "") for code in order],
        rows=[list(redactor.data(row)) for row in rows[:limit]],
        truncated=len(rows) > limit,
        duration_ms=round((clock() - started) * 1000, 1),
    )


def account_of(host: Installation) -> Account | None:
    """The application's user; None where there is none, and nothing of his to be kept apart."""
    try:
        return host.account
    except HostError:
        return None


def ask_as_user(account: Account | None, work: Callable[[], Answer], deadline: float) -> Answer:
    """Ask as the application's user: the address is his, so nothing of root's may go there."""

    def told() -> dict[str, Any]:
        try:
            return {"answer": asdict(work())}
        except QueryError as error:
            return {"refused": [error.kind, error.message, error.remedy]}
        except MissingLibraryError as error:
            remedy = f"Install its package: apt-get install {error.package}."
            return {"refused": ["missing_library", f"{error}.", remedy]}

    if account is None:
        found = told()
    else:
        found = as_user(account.name, in_memory(lambda _account: told()), deadline=deadline)
    if "refused" in found:
        raise QueryError(*found["refused"])
    return Answer(**found["answer"])


def masked(answer: Answer) -> Answer:
    """The answer without what the names of its columns say is secret (tokens of gateways and agents)."""
    secret = [is_secret(name) for name in answer.columns]
    rows = [
        [MASK if hide and value is not None else value for hide, value in zip(secret, row, strict=True)]
        for row in answer.rows
    ]
    return Answer(answer.columns, answer.types, rows, answer.truncated, answer.duration_ms)
