# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the token is, and that nobody comes in without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._http.answer import Answer
from ..context import Problem
from ..http_context import HttpContext, OverHttp
from ..verdict import ERROR, FAIL, SKIP, Verdict

PATH = "/api/v1/organizations/me/member"
WRONG = "this-is-not-the-token-and-must-be-refused-by-the-backend-0123456789"


def judge_role(context: HttpContext, answer: Answer, role: str) -> Verdict:
    """The member that the token stands for."""
    body = context.json(answer)
    found = body.get("role") if isinstance(body, dict) else None
    if found not in ("owner", "admin", "member"):
        raise Problem(
            "unexpected_shape",
            "the membership names no role",
            cause="The backend is of a version whose answers have another shape, or something else answers.",
            remedy="Look at the answer in the evidence.",
            evidence=answer.evidence(context.redactor),
        )
    user = body.get("user") if isinstance(body.get("user"), dict) else {}
    evidence = {
        **{key: value for key, value in answer.evidence(context.redactor).items() if key != "body"},
        "role": found,
        "user": (user or {}).get("name") or (user or {}).get("email"),
        "organization": body.get("organization_id"),
    }
    if role not in ("any", found):
        return Verdict(
            "role",
            FAIL,
            f"the user of the token is {found}, expected was {role}",
            cause=f"The token belongs to a user whose role in the organization is {found}. The first "
            "authenticated call of a fresh installation makes the owner; somebody else made it, or the "
            "role was changed.",
            remedy=f"Let an owner give the user the role {role}, or set verify_membership: {{role: "
            f"{found}}} if that is meant so.",
            kind="wrong_role",
            evidence=evidence,
        )
    return Verdict("role", summary=f"the user of the token is {found}", evidence=evidence)


def judge_refusal(context: HttpContext, name: str, what: str, answer: Answer) -> Verdict:
    """Without the right token there must be a 401."""
    if answer.failure or answer.status >= 500 or answer.status in (404, 429):
        raise context.problem(answer)
    if answer.status == 401:
        return Verdict(name, summary=f"{what} is refused (401)")
    if answer.status < 300:
        return Verdict(
            name,
            FAIL,
            f"{what} is let in ({answer.status})",
            cause="The API is open: something in front of it adds a token of its own, or authentication is "
            "off.",
            remedy="Remove the Authorization header from the proxy, and see that AUTH_MODE is local or "
            "clerk.",
            kind="open_api",
            evidence=answer.evidence(context.redactor),
        )
    return Verdict(
        name,
        FAIL,
        f"{what} gets {answer.status} instead of 401",
        cause="A proxy or another program answers in the backend's place.",
        remedy="Check that mission_control_api_url names the backend.",
        kind="unexpected_status",
        evidence=answer.evidence(context.redactor),
    )


@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """With the token, with a wrong one, with none."""

    def role() -> Verdict:
        if not context.client.has_token:
            clerk = context.host.environment.get("AUTH_MODE") == "clerk"
            return Verdict(
                "role",
                SKIP if clerk else ERROR,
                "no token to ask with",
                cause="With AUTH_MODE=clerk a token belongs to a person's session."
                if clerk
                else "No token was given.",
                remedy="Give the check a token (mission_control_token), or a user that may read the "
                "backend's .env.",
                kind="" if clerk else "no_token",
            )
        return judge_role(context, context.client.get(PATH), options["role"])

    return context.each(
        "membership",
        [
            ("role", role),
            (
                "wrong_token",
                lambda: judge_refusal(
                    context, "wrong_token", "a wrong token", context.client.get(PATH, token=WRONG)
                ),
            ),
            (
                "no_token",
                lambda: judge_refusal(
                    context, "no_token", "a request without token", context.client.get(PATH, token="")
                ),
            ),
        ],
    )
