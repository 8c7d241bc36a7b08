"""What a template knows while a filter of its is called, for filters that look there themselves."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment
from jinja2.runtime import Context


def with_variables(**variables: Any) -> Context:
    """The context of a template that has these variables."""
    return Environment(autoescape=True).from_string("").new_context(variables)
