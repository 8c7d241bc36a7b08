"""What the checks return, said once: a documentation fragment cannot hold return values."""

from __future__ import annotations

import re

_STATE = """state:
  description: The worst state of all parts.
  type: str
  returned: always
  choices: [skip, pass, flaky, warn, fail, error]
summary:
  description: One line on what was found.
  type: str
  returned: always
"""
_TREE = """  contains:
    name: {description: Name of the check or part., type: str, returned: always}
    state: {description: Its state., type: str, returned: always}
    summary: {description: One line., type: str, returned: always}
    cause: {description: Why., type: str, returned: always}
    remedy: {description: What to do., type: str, returned: always}
    cure: {description: What the remedy takes., type: dict, returned: always}
    kind: {description: The cause as one word for programs., type: str, returned: always}
    evidence: {description: What was seen., type: dict, returned: always}
    measures: {description: Figures with their thresholds., type: list, elements: dict, returned: always}
    duration_ms: {description: Time taken., type: float, returned: always}
    attempts: {description: Number of attempts., type: int, returned: always}
    consequence_of: {description: Path of the finding that explains this one., type: str, returned: always}
    checks: {description: Parts., type: list, elements: dict, returned: always}
"""
_RUN = """root_causes:
  description: Findings that nothing else explains, worst first.
  type: list
  elements: dict
  returned: always
counts:
  description: Number of checks by state.
  type: dict
  returned: always
schema:
  description: Version of this structure.
  type: int
  returned: always
host:
  description: Name of the host that looked.
  type: str
  returned: always
view:
  description: From where the check looked.
  type: str
  returned: always
begun:
  description: When it began, in UTC.
  type: str
  returned: always
duration_ms:
  description: How long it took in all.
  type: float
  returned: always
requests:
  description: Number of HTTP requests sent.
  type: int
  returned: always
"""
CHECK = f"""{_STATE}cause:
  description: Why, in the operator's terms. Empty when nothing is wrong.
  type: str
  returned: always
remedy:
  description: The setting or command that cures it.
  type: str
  returned: always
evidence:
  description: What the check saw, without secrets; by parts of the check where it has some.
  type: dict
  returned: always
verdict:
  description: The verdict as a tree. Its parts are below RV(verdict.checks) and look the same.
  type: dict
  returned: always
{_TREE}{_RUN}"""
VERIFY = f"""{_STATE}verdicts:
  description: One verdict for each check, as a tree. Parts are below C(checks) and look the same.
  type: list
  elements: dict
  returned: always
{_TREE}{_RUN}comparison:
  description: What changed since O(baseline), with C(decision) PROCEED, REVIEW or ROLLBACK.
  type: dict
  returned: always
"""

MARK = "# Written by docs/write_docs.py from docs/writer/returns.py: change it there.\n"
_BLOCK = re.compile(r'^(?:# Written by [^\n]*\n)?RETURN = r"""\n.*?"""$', re.MULTILINE | re.DOTALL)


def with_returns(source: str, returns: str) -> str:
    """The source of a module with these return values."""
    text, count = _BLOCK.subn(lambda _match: f'{MARK}RETURN = r"""\n{returns}"""', source, count=1)
    if not count:
        raise ValueError("the module has no RETURN")
    return text
