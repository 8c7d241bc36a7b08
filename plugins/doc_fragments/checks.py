# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of the checks. Written from plugins/module_utils/_options.py by
tests/unit/plugins/checks/test_documentation.py: change them there.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description:
    - Address of the backend's API as seen from where the check runs.
    type: str
    default: http://127.0.0.1:8000
  token:
    description:
    - The bearer token (C(LOCAL_AUTH_TOKEN)). Without it the one in O(env_file) is used, if
      there is one.
    type: str
    default: ''
  public_url:
    description:
    - Address of the user interface as its users open it. Its origin must be allowed by CORS.
    type: str
    default: ''
  user:
    description:
    - The application's user, whose units, processes and journal are looked at. Without it,
      whoever runs the check.
    type: str
    default: ''
  root:
    description:
    - The application's root directory, with C(current) and C(releases).
    type: str
    default: ~/mission-control
  env_file:
    description:
    - The backend's environment file, from which what is not given is read. Without it C(current/backend/.env),
      or else C(backend/.env), below O(root).
    type: str
    default: ''
  timeout:
    description:
    - Seconds that one request may take in all.
    type: float
    default: 10.0
  validate_certs:
    description:
    - Whether TLS certificates are checked.
    type: bool
    default: true
  ca_path:
    description:
    - File with the certificates of the authorities to trust.
    type: path
    default: ''
  dialect:
    description:
    - Which gateway paths the backend serves, C(/api/v1/gateways) or C(/api/v1/gateway). V(auto)
      asks C(/openapi.json).
    type: str
    choices:
    - auto
    - gateways
    - gateway
    default: auto
  range_parameter:
    description:
    - What the metrics' range parameter is called. V(auto) asks C(/openapi.json).
    type: str
    choices:
    - auto
    - range_key
    - range
    default: auto
  secrets:
    description:
    - More values that must not appear in any evidence.
    type: list
    elements: str
    default: []
  deadline:
    description:
    - Seconds during which what failed is tried again. V(0) is one attempt.
    type: float
    default: 0.0
  interval:
    description:
    - Seconds before the second attempt.
    type: float
    default: 1.0
  backoff:
    description:
    - Factor by which the interval grows with each failed attempt.
    type: float
    default: 1.5
  interval_max:
    description:
    - Longest interval in seconds.
    type: float
    default: 15.0
  jitter:
    description:
    - Share by which each interval is shaken at random.
    type: float
    default: 0.2
  successes:
    description:
    - How many attempts in a row must succeed.
    type: int
    default: 1
  fail_on:
    description:
    - From which state on the task fails. V(never) only reports.
    type: str
    choices:
    - fail
    - warn
    - never
    default: fail
"""

    HEALTH = r"""
options:
  paths:
    description:
    - The health endpoints.
    type: list
    elements: str
    default:
    - /health
    - /healthz
    - /readyz
  latency_warning:
    description:
    - Warn when the time to the whole answer, in milliseconds, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '1000'
  latency_critical:
    description:
    - Fail when the time to the whole answer, in milliseconds, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '5000'
"""

    CORS = r"""
options:
  origins:
    description:
    - Origins that must be allowed. The origin of O(public_url) is always one of them.
    type: list
    elements: str
    default: []
  foreign_origins:
    description:
    - Origins that must be refused.
    type: list
    elements: str
    default:
    - https://foreign-origin.invalid
  path:
    description:
    - Path that is asked for.
    type: str
    default: /api/v1/organizations/me/member
  method:
    description:
    - Method that the preflight announces.
    type: str
    default: GET
  request_headers:
    description:
    - Headers that the preflight announces.
    type: list
    elements: str
    default:
    - authorization
"""

    MEMBERSHIP = r"""
options:
  role:
    description:
    - The role that the user of the token must have.
    type: str
    choices:
    - owner
    - admin
    - member
    - any
    default: owner
"""

    FRONTEND = r"""
options:
  frontend_url:
    description:
    - Where the page is fetched from. Without it O(public_url), or else port 3000 of this host.
    type: str
    default: ''
  api_url:
    description:
    - 'The API address that should be built into the page. Empty: whichever is, it must work.'
    type: str
    default: ''
  pages:
    description:
    - Pages that must be served.
    type: list
    elements: str
    default:
    - /
  probe:
    description:
    - Path of the API that the page's address is tried with.
    type: str
    default: /healthz
  latency_warning:
    description:
    - Warn when the time to the whole page, in milliseconds, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '3000'
  latency_critical:
    description:
    - Fail when the time to the whole page, in milliseconds, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '10000'
  certificate_days_warning:
    description:
    - Warn when the number of days that the certificate is still valid is outside of this range.
      A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '21:'
  certificate_days_critical:
    description:
    - Fail when the number of days that the certificate is still valid is outside of this range.
      A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '7:'
"""

    SERVICE = r"""
options:
  units:
    description:
    - The user units.
    type: list
    elements: str
    default:
    - mission-control-backend
    - mission-control-frontend
    - mission-control-worker
  restart_window:
    description:
    - How long ago the last start may lie for automatic restarts to count.
    type: str
    default: 15m
  restarts_warning:
    description:
    - Warn when the number of automatic restarts within O(restart_window) is outside of this
      range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '0'
  restarts_critical:
    description:
    - Fail when the number of automatic restarts within O(restart_window) is outside of this
      range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '3'
  memory_warning:
    description:
    - Warn when the memory of the unit's processes, in bytes, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  memory_critical:
    description:
    - Fail when the memory of the unit's processes, in bytes, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  cpu_warning:
    description:
    - Warn when the share of one core that the unit's processes use without a pause is outside
      of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  cpu_critical:
    description:
    - Fail when the share of one core that the unit's processes use without a pause is outside
      of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '0.8'
  enabled:
    description:
    - Whether the units must be enabled.
    type: bool
    default: true
  release:
    description:
    - Whether the processes must run the release that C(current) points to.
    type: bool
    default: true
"""

    VERIFY = r"""
options:
  checks:
    description:
    - The checks to run. Others are not run at all.
    type: list
    elements: str
    choices:
    - all
    - health
    - cors
    - membership
    - frontend
    - service
    default:
    - all
  skip:
    description:
    - Checks not to run.
    type: list
    elements: str
    choices:
    - health
    - cors
    - membership
    - frontend
    - service
    default: []
  suite_deadline:
    description:
    - Seconds after which the suite ends in any case. What has not answered by then is an error.
    type: float
    default: 120.0
  waivers:
    description:
    - Checks, or parts of them, that are accepted as they are for a while. A waived check is
      not run.
    type: list
    elements: dict
    default: []
    suboptions:
      check:
        description:
        - Name of the check (V(log)) or the dotted path of a part (V(agents.stale)).
        type: str
        required: true
      reason:
        description:
        - Why.
        type: str
        required: true
      expires:
        description:
        - Last day (YYYY-MM-DD) of the waiver. After it, the waiver itself is a failure.
        type: str
        required: true
  baseline:
    description:
    - An earlier result (its RV(report)) that this one is compared with.
    type: raw
  view:
    description:
    - 'From where the checks look: a word for the reports.'
    type: str
    choices:
    - host
    - controller
    default: host
  health:
    description:
    - Options of the check that the backend answers its health endpoints, in time.
    type: dict
    suboptions:
      paths:
        description:
        - The health endpoints.
        type: list
        elements: str
        default:
        - /health
        - /healthz
        - /readyz
      latency_warning:
        description:
        - Warn when the time to the whole answer, in milliseconds, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '1000'
      latency_critical:
        description:
        - Fail when the time to the whole answer, in milliseconds, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '5000'
  cors:
    description:
    - Options of the check that browsers of the right origins are let in, others are not.
    type: dict
    suboptions:
      origins:
        description:
        - Origins that must be allowed. The origin of O(public_url) is always one of them.
        type: list
        elements: str
        default: []
      foreign_origins:
        description:
        - Origins that must be refused.
        type: list
        elements: str
        default:
        - https://foreign-origin.invalid
      path:
        description:
        - Path that is asked for.
        type: str
        default: /api/v1/organizations/me/member
      method:
        description:
        - Method that the preflight announces.
        type: str
        default: GET
      request_headers:
        description:
        - Headers that the preflight announces.
        type: list
        elements: str
        default:
        - authorization
  membership:
    description:
    - Options of the check that the token is accepted, its user has the expected role, and other
      tokens are refused.
    type: dict
    suboptions:
      role:
        description:
        - The role that the user of the token must have.
        type: str
        choices:
        - owner
        - admin
        - member
        - any
        default: owner
  frontend:
    description:
    - Options of the check that the user interface is served and reaches the API as its users'
      browsers would.
    type: dict
    suboptions:
      frontend_url:
        description:
        - Where the page is fetched from. Without it O(public_url), or else port 3000 of this
          host.
        type: str
        default: ''
      api_url:
        description:
        - 'The API address that should be built into the page. Empty: whichever is, it must
          work.'
        type: str
        default: ''
      pages:
        description:
        - Pages that must be served.
        type: list
        elements: str
        default:
        - /
      probe:
        description:
        - Path of the API that the page's address is tried with.
        type: str
        default: /healthz
      latency_warning:
        description:
        - Warn when the time to the whole page, in milliseconds, is outside of this range. A
          range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '3000'
      latency_critical:
        description:
        - Fail when the time to the whole page, in milliseconds, is outside of this range. A
          range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '10000'
      certificate_days_warning:
        description:
        - Warn when the number of days that the certificate is still valid is outside of this
          range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '21:'
      certificate_days_critical:
        description:
        - Fail when the number of days that the certificate is still valid is outside of this
          range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '7:'
  service:
    description:
    - Options of the check that each user unit is up, stays up, and runs the release that is
      deployed.
    type: dict
    suboptions:
      units:
        description:
        - The user units.
        type: list
        elements: str
        default:
        - mission-control-backend
        - mission-control-frontend
        - mission-control-worker
      restart_window:
        description:
        - How long ago the last start may lie for automatic restarts to count.
        type: str
        default: 15m
      restarts_warning:
        description:
        - Warn when the number of automatic restarts within O(restart_window) is outside of
          this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '0'
      restarts_critical:
        description:
        - Fail when the number of automatic restarts within O(restart_window) is outside of
          this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '3'
      memory_warning:
        description:
        - Warn when the memory of the unit's processes, in bytes, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      memory_critical:
        description:
        - Fail when the memory of the unit's processes, in bytes, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      cpu_warning:
        description:
        - Warn when the share of one core that the unit's processes use without a pause is outside
          of this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      cpu_critical:
        description:
        - Fail when the share of one core that the unit's processes use without a pause is outside
          of this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '0.8'
      enabled:
        description:
        - Whether the units must be enabled.
        type: bool
        default: true
      release:
        description:
        - Whether the processes must run the release that C(current) points to.
        type: bool
        default: true
"""
