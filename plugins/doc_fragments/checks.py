# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of the checks. Written by docs/write_docs.py from plugins/module_utils/_verify/options.py and
docs/writer/option_texts.py: change them there.
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
  trusted_users:
    description:
    - Users besides root and O(user) to whom secrets may be sent where they listen on this host,
      such as that of a proxy of yours without TLS. Not asked where O(user) is not given.
    type: list
    elements: str
    default: []
  root:
    description:
    - The application's root directory, with C(current) and C(releases).
    type: str
    default: ~/mission-control
  env_file:
    description:
    - The backend's environment file, from which comes what is not given. Without it C(current/backend/.env),
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
  samples:
    description:
    - How many times each endpoint is asked, one after the other. Every answer has to be good.
    type: int
    default: 1
  percentile:
    description:
    - 'Of several samples, the percentile of their times that the limits of latency are for:
      100 is the slowest.'
    type: float
    default: 95.0
requirements:
- requests (Python library)
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
requirements:
- requests (Python library)
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
requirements:
- requests (Python library)
"""

    AGENTS = r"""
options:
  expected:
    description:
    - Names of agents that must be there.
    type: list
    elements: str
    default: []
  count_warning:
    description:
    - Warn when the number of agents is outside of this range. A range in the syntax of the
      monitoring plugins; empty for none.
    type: str
    default: ''
  count_critical:
    description:
    - Fail when the number of agents is outside of this range. A range in the syntax of the
      monitoring plugins; empty for none.
    type: str
    default: ''
  offline_warning:
    description:
    - Warn when the number of agents that are offline is outside of this range. A range in the
      syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  offline_critical:
    description:
    - Fail when the number of agents that are offline is outside of this range. A range in the
      syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  stale_warning:
    description:
    - Warn when the time since an agent was last seen, in seconds, is outside of this range.
      A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '3600'
  stale_critical:
    description:
    - Fail when the time since an agent was last seen, in seconds, is outside of this range.
      A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  provisioning_warning:
    description:
    - Warn when the time that an agent has been in the making or in change, in seconds, is outside
      of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '900'
  provisioning_critical:
    description:
    - Fail when the time that an agent has been in the making or in change, in seconds, is outside
      of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
requirements:
- requests (Python library)
"""

    GATEWAY = r"""
options:
  board_ids:
    description:
    - 'Boards whose gateways are asked for. Empty: every board that is bound to one.'
    type: list
    elements: str
    default: []
  gateway_url:
    description:
    - A gateway to try directly, instead of through boards.
    type: str
    default: ''
  gateway_token:
    description:
    - 'Token for O(gateway_url). The product takes it in the query string, so it appears in
      the access log of the backend, that is in its journal; unless a board is bound to a gateway
      that is registered with this address and token: then that board is asked, without it.'
    type: str
    default: ''
  disable_device_pairing:
    description:
    - For O(gateway_url).
    type: bool
    default: false
  allow_insecure_tls:
    description:
    - For O(gateway_url).
    type: bool
    default: false
  required:
    description:
    - Whether it is a failure when no board is bound to a gateway.
    type: bool
    default: false
  sessions_warning:
    description:
    - Warn when the number of sessions is outside of this range. A range in the syntax of the
      monitoring plugins; empty for none.
    type: str
    default: ''
  sessions_critical:
    description:
    - Fail when the number of sessions is outside of this range. A range in the syntax of the
      monitoring plugins; empty for none.
    type: str
    default: ''
requirements:
- requests (Python library)
"""

    SESSIONS = r"""
options:
  board_ids:
    description:
    - 'Boards that are asked for. Empty: every board that is bound to a gateway.'
    type: list
    elements: str
    default: []
  expected:
    description:
    - Keys or labels of sessions that must be there.
    type: list
    elements: str
    default: []
  count_warning:
    description:
    - Warn when the number of sessions of a gateway is outside of this range. A range in the
      syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  count_critical:
    description:
    - Fail when the number of sessions of a gateway is outside of this range. A range in the
      syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  idle_warning:
    description:
    - Warn when the time since the last activity, in seconds, of any but the main session is
      outside of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  idle_critical:
    description:
    - Fail when the time since the last activity, in seconds, of any but the main session is
      outside of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  agents_without_session:
    description:
    - What an online agent without a session is.
    type: str
    choices:
    - ignore
    - warn
    - fail
    default: warn
  sessions_without_agent:
    description:
    - What a session without an agent is.
    type: str
    choices:
    - ignore
    - warn
    - fail
    default: ignore
requirements:
- requests (Python library)
"""

    SESSION = r"""
options:
  board_ids:
    description:
    - 'Boards that are asked for. Empty: every board that is bound to a gateway.'
    type: list
    elements: str
    default: []
  session_ids:
    description:
    - 'Keys of sessions. Empty: the newest session of each gateway.'
    type: list
    elements: str
    default: []
  messages_minimum:
    description:
    - How many messages a history must have.
    type: int
    default: 0
  message_age_warning:
    description:
    - Warn when the age of the last message, in seconds, is outside of this range. A range in
      the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  message_age_critical:
    description:
    - Fail when the age of the last message, in seconds, is outside of this range. A range in
      the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
requirements:
- requests (Python library)
"""

    METRICS = r"""
options:
  ranges:
    description:
    - Ranges to ask for.
    type: list
    elements: str
    choices: &id001
    - 24h
    - 3d
    - 7d
    - 14d
    - 1m
    - 3m
    - 6m
    - 1y
    default: *id001
  board_ids:
    description:
    - Boards to filter by, each with all ranges.
    type: list
    elements: str
    default: []
  group_ids:
    description:
    - Board groups to filter by, each with all ranges.
    type: list
    elements: str
    default: []
  threshold_ranges:
    description:
    - Ranges that the thresholds hold for.
    type: list
    elements: str
    choices: *id001
    default:
    - 24h
  kpi_warning:
    description:
    - 'Ranges of KPIs by name. Outside of them: warn.'
    type: dict
    default: {}
  kpi_critical:
    description:
    - 'Ranges of KPIs by name. Outside of them: fail.'
    type: dict
    default: {}
  change_warning:
    description:
    - 'Ranges by series (V(throughput), V(cycle_time), V(error_rate)) for the change of its
      mean against the comparison series, in percent. Outside of them: warn.'
    type: dict
    default: {}
  change_critical:
    description:
    - 'The same. Outside of them: fail.'
    type: dict
    default: {}
requirements:
- requests (Python library)
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
    - Path of the API that the page's address is tried with. It is asked without a token, so
      401 and 403 of the backend's are an answer, too.
    type: str
    default: /api/v1/organizations/me/member
  backend_url:
    description:
    - 'Where the backend is asked when the API''s address is out of reach from here, as before
      DNS is switched or behind a NAT. That it answers there is a warning then. Empty: out of
      reach is a failure.'
    type: str
    default: ''
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
requirements:
- requests (Python library)
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
  gateway_unit:
    description:
    - Whether a gateway was deployed on this host, whose unit C(openclaw-gateway) must run.
    type: bool
    default: false
  gateway_user:
    description:
    - 'The user of that unit. Empty: the application''s user, or C(openclaw), who has such a
      unit.'
    type: str
    default: ''
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

    LOG = r"""
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
  since:
    description:
    - From when on. A duration (V(15m), V(2h)), a time (V(2026-11-24T13:00:00)), or V(start),
      each unit's last start.
    type: str
    default: 15m
  errors_warning:
    description:
    - Warn when the number of lines of level error or worse is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '0'
  errors_critical:
    description:
    - Fail when the number of lines of level error or worse is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '50'
  tracebacks_warning:
    description:
    - Warn when the number of tracebacks is outside of this range. A range in the syntax of
      the monitoring plugins; empty for none.
    type: str
    default: '0'
  tracebacks_critical:
    description:
    - Fail when the number of tracebacks is outside of this range. A range in the syntax of
      the monitoring plugins; empty for none.
    type: str
    default: '20'
  rate_warning:
    description:
    - Warn when the number of lines in a minute is outside of this range. A range in the syntax
      of the monitoring plugins; empty for none.
    type: str
    default: '3000'
  rate_critical:
    description:
    - Fail when the number of lines in a minute is outside of this range. A range in the syntax
      of the monitoring plugins; empty for none.
    type: str
    default: '30000'
  patterns:
    description:
    - Regular expressions that no line may match.
    type: list
    elements: str
    default: []
  ignore:
    description:
    - Regular expressions of lines to leave out.
    type: list
    elements: str
    default: []
  deployments:
    description:
    - 'Whether errors and tracebacks count that were logged while a deployment went on which
      then succeeded, or was taken back. They are its own: services are switched, a gateway
      is made known. When it went on is in the history (playbook history). Patterns and the
      rate count always.'
    type: bool
    default: false
  past:
    description:
    - Whether errors and tracebacks count that were logged before the unit, or the database,
      queue or gateway of this host that it needs, was started the last time. They ended with
      their cause, and are told. A restart that systemd made by itself ends nothing. The rate
      is that since then, and patterns count always.
    type: bool
    default: false
  worst_lines:
    description:
    - How many of the most frequent errors are shown.
    type: int
    default: 5
  max_lines:
    description:
    - How many lines are read at most.
    type: int
    default: 1000000
"""

    DATABASE = r"""
options:
  database_url:
    description:
    - Address of the database. Without it C(DATABASE_URL) of O(env_file).
    type: str
    default: ''
  statement_timeout:
    description:
    - Seconds that one statement may take.
    type: float
    default: 5.0
  transaction_warning:
    description:
    - Warn when the age of the oldest transaction, in seconds, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '300'
  transaction_critical:
    description:
    - Fail when the age of the oldest transaction, in seconds, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '3600'
  locks_warning:
    description:
    - Warn when the number of sessions that wait for a lock is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '5'
  locks_critical:
    description:
    - Fail when the number of sessions that wait for a lock is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '50'
  connections_warning:
    description:
    - Warn when the share of connections in use, in percent, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '80'
  connections_critical:
    description:
    - Fail when the share of connections in use, in percent, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '95'
  size_warning:
    description:
    - Warn when the size of the database, in bytes, is outside of this range. A range in the
      syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  size_critical:
    description:
    - Fail when the size of the database, in bytes, is outside of this range. A range in the
      syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  slots_warning:
    description:
    - Warn when what is kept of PostgreSQL's log for a replica that does not fetch it, in bytes,
      is outside of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '1000000000'
  slots_critical:
    description:
    - Fail when what is kept of PostgreSQL's log for a replica that does not fetch it, in bytes,
      is outside of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '10000000000'
  data_directory:
    description:
    - Where a local PostgreSQL keeps its data.
    type: str
    default: /var/lib/postgresql
  disk_warning:
    description:
    - Warn when the free space there, in percent, is outside of this range. A range in the syntax
      of the monitoring plugins; empty for none.
    type: str
    default: '10:'
  disk_critical:
    description:
    - Fail when the free space there, in percent, is outside of this range. A range in the syntax
      of the monitoring plugins; empty for none.
    type: str
    default: '3:'
  backup_directory:
    description:
    - 'Directory with backups. Empty: not looked at.'
    type: str
    default: ''
  backup_age_warning:
    description:
    - Warn when the age of the last backup, in seconds, is outside of this range. A range in
      the syntax of the monitoring plugins; empty for none.
    type: str
    default: '129600'
  backup_age_critical:
    description:
    - Fail when the age of the last backup, in seconds, is outside of this range. A range in
      the syntax of the monitoring plugins; empty for none.
    type: str
    default: '259200'
  certificate_days_warning:
    description:
    - Warn when the days that the server's certificate is still valid is outside of this range.
      A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '60:'
  certificate_days_critical:
    description:
    - Fail when the days that the server's certificate is still valid is outside of this range.
      A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '7:'
requirements:
- psycopg2 (Python library)
"""

    QUEUE = r"""
options:
  redis_url:
    description:
    - Address of Redis. Without it C(RQ_REDIS_URL) of O(env_file).
    type: str
    default: ''
  queue_name:
    description:
    - Name of the queue. Without it C(RQ_QUEUE_NAME).
    type: str
    default: ''
  redis_users:
    description:
    - 'The users that the deployment''s own Redis may have. Empty: not looked at.'
    type: list
    elements: str
    default: []
  workers_minimum:
    description:
    - How many workers there must be.
    type: int
    default: 1
  hung_after:
    description:
    - Seconds after which a worker that took work and is silent counts as hung.
    type: int
    default: 300
  depth_warning:
    description:
    - Warn when the number of waiting entries is outside of this range. A range in the syntax
      of the monitoring plugins; empty for none.
    type: str
    default: '100'
  depth_critical:
    description:
    - Fail when the number of waiting entries is outside of this range. A range in the syntax
      of the monitoring plugins; empty for none.
    type: str
    default: '1000'
  age_warning:
    description:
    - Warn when the age of the oldest entry, in seconds, is outside of this range. A range in
      the syntax of the monitoring plugins; empty for none.
    type: str
    default: '60'
  age_critical:
    description:
    - Fail when the age of the oldest entry, in seconds, is outside of this range. A range in
      the syntax of the monitoring plugins; empty for none.
    type: str
    default: '600'
  overdue_warning:
    description:
    - Warn when how long delayed work is overdue, in seconds, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '60'
  overdue_critical:
    description:
    - Fail when how long delayed work is overdue, in seconds, is outside of this range. A range
      in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '600'
  certificate_days_warning:
    description:
    - Warn when the days that the server's certificate is still valid is outside of this range.
      A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '60:'
  certificate_days_critical:
    description:
    - Fail when the days that the server's certificate is still valid is outside of this range.
      A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '7:'
"""

    HOST = r"""
options:
  paths:
    description:
    - Paths whose file systems must have space.
    type: list
    elements: str
    default:
    - /
    - ~/mission-control
    - /tmp
    - /var/log
  disk_warning:
    description:
    - Warn when the free space (or inodes), in percent, is outside of this range. A range in
      the syntax of the monitoring plugins; empty for none.
    type: str
    default: '10:'
  disk_critical:
    description:
    - Fail when the free space (or inodes), in percent, is outside of this range. A range in
      the syntax of the monitoring plugins; empty for none.
    type: str
    default: '3:'
  memory_warning:
    description:
    - Warn when the available memory, in percent, is outside of this range. A range in the syntax
      of the monitoring plugins; empty for none.
    type: str
    default: '5:'
  memory_critical:
    description:
    - Fail when the available memory, in percent, is outside of this range. A range in the syntax
      of the monitoring plugins; empty for none.
    type: str
    default: '2:'
  ports:
    description:
    - Ports that must be listened on.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description:
        - The port.
        type: int
        required: true
      bind:
        description:
        - V(any), V(loopback), an address (one for all means V(any)), or empty for whichever.
        type: str
        default: ''
      unit:
        description:
        - The application user's unit that must hold it.
        type: str
        default: ''
      users:
        description:
        - 'The users who may hold it, where it is no unit''s. Empty: any one.'
        type: list
        elements: str
        default: []
  guarded:
    description:
    - Ports that are for a front door on another host alone, by the table of nftables that the
      role C(firewall) loads.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description:
        - The port.
        type: int
        required: true
      sources:
        description:
        - Addresses and networks that reach it from other hosts.
        type: list
        elements: str
        default: []
  strangers:
    description:
    - Whether other ports of O(user) that others can reach are a warning.
    type: bool
    default: true
  allowed_ports:
    description:
    - Ports that are none of these.
    type: list
    elements: int
    default: []
  sandbox_units:
    description:
    - User units whose sandboxing must be in force.
    type: list
    elements: str
    default:
    - mission-control-backend
    - mission-control-frontend
    - mission-control-worker
  gateway_sandbox:
    description:
    - Whether the sandboxing of the gateway's unit must be in force, too, where a deployment
      has put one.
    type: bool
    default: true
  certificate_renewal:
    description:
    - Whether certbot has to renew the front door's certificate on this host. The roles say
      so where it is an ACME authority's.
    type: bool
    default: false
"""

    CONFIGURATION = r"""
options:
  environment_units:
    description:
    - Units whose environment must be that of O(env_file).
    type: list
    elements: str
    default:
    - mission-control-backend
    - mission-control-worker
  expected_api_url:
    description:
    - 'The API''s address as deployed. Empty: not compared.'
    type: str
    default: ''
  frontend_url:
    description:
    - 'Where the page is fetched from, to find the address built in. Empty: not looked at.'
    type: str
    default: ''
  gateway_version:
    description:
    - 'The gateway''s version. Empty: not compared.'
    type: str
    default: ''
requirements:
- requests (Python library)
"""

    FRONT_DOOR = r"""
options:
  http_url:
    description:
    - Address without TLS, from which users have to be sent on. Empty means port 80 of O(public_url).
    type: str
    default: ''
  hsts:
    description:
    - Whether browsers are to be told to insist on https (HSTS).
    type: bool
    default: true
  direct:
    description:
    - Addresses of backend and frontend themselves, which must not answer from here.
    type: list
    elements: str
    default: []
  closed:
    description:
    - 'What the front door keeps to the deployment''s own hosts: it must not be served to here.'
    type: list
    elements: str
    choices:
    - docs
    - health
    default: []
  stream_seconds:
    description:
    - Seconds within which the first event of a stream has to come.
    type: float
    default: 3.0
  stream_hold:
    description:
    - Seconds that a stream is listened to after its first event; it must not be cut meanwhile.
      V(0) leaves that out.
    type: float
    default: 0.0
  forged:
    description:
    - 'Whether to see that the proxy overwrites the address that a client claims, X-Forwarded-For
      and Forwarded. Takes 22 failed logins of an agent, each as somebody else: for a minute
      the product then refuses real ones from the address of this check.'
    type: bool
    default: false
  websocket_path:
    description:
    - Path at which a WebSocket has to be opened. Empty leaves that out.
    type: str
    default: ''
  gateway_url:
    description:
    - Address of the gateway's control page at the door, where the page, its WebSocket and its
      origin are looked at. Empty leaves that out.
    type: str
    default: ''
  certificate_days_warning:
    description:
    - Warn when the number of days for which the certificate is still valid is outside of this
      range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '14:'
  certificate_days_critical:
    description:
    - Fail when the number of days for which the certificate is still valid is outside of this
      range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '3:'
requirements:
- requests (Python library)
"""

    BACKUP = r"""
options:
  age_warning:
    description:
    - Warn when the time since the last backup that succeeded, in seconds, is outside of this
      range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '97200'
  age_critical:
    description:
    - Fail when the time since the last backup that succeeded, in seconds, is outside of this
      range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '259200'
  check_age_warning:
    description:
    - Warn when the time since the repository was read from beginning to end, in seconds, is
      outside of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '1382400'
  check_age_critical:
    description:
    - Fail when the time since the repository was read from beginning to end, in seconds, is
      outside of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '3456000'
  drill_age_warning:
    description:
    - Warn when the time since a restore point was proved by a drill, in seconds, is outside
      of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '1382400'
  drill_age_critical:
    description:
    - Fail when the time since a restore point was proved by a drill, in seconds, is outside
      of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '3456000'
  room_warning:
    description:
    - Warn when the free space of a repository on the host, as a multiple of the last backup,
      is outside of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: '1.5:'
  room_critical:
    description:
    - Fail when the free space of a repository on the host, as a multiple of the last backup,
      is outside of this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  growth_warning:
    description:
    - Warn when the size of the last backup, as a multiple of what was usual, is outside of
      this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: 0.5:3
  growth_critical:
    description:
    - Fail when the size of the last backup, as a multiple of what was usual, is outside of
      this range. A range in the syntax of the monitoring plugins; empty for none.
    type: str
    default: ''
  on_the_host:
    description:
    - Whether a repository in a directory of the host is accepted, because that is another machine's,
      or its loss is.
    type: bool
    default: false
  lock_age:
    description:
    - Seconds after which a lock in the repository that nobody refreshes is left behind.
    type: int
    default: 1800
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
    - agents
    - gateway
    - sessions
    - session
    - metrics
    - frontend
    - service
    - log
    - database
    - queue
    - host
    - configuration
    - front_door
    - backup
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
    - agents
    - gateway
    - sessions
    - session
    - metrics
    - frontend
    - service
    - log
    - database
    - queue
    - host
    - configuration
    - front_door
    - backup
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
        - Last day (YYYY-MM-DD) of the waiver. After it, the waiver is a failure.
        type: str
        required: true
  baseline:
    description:
    - An earlier result of this module, which this one is compared with.
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
      samples:
        description:
        - How many times each endpoint is asked, one after the other. Every answer has to be
          good.
        type: int
        default: 1
      percentile:
        description:
        - 'Of several samples, the percentile of their times that the limits of latency are
          for: 100 is the slowest.'
        type: float
        default: 95.0
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
  agents:
    description:
    - Options of the check that the agents are counted by status, and none is silent, stuck
      or missing.
    type: dict
    suboptions:
      expected:
        description:
        - Names of agents that must be there.
        type: list
        elements: str
        default: []
      count_warning:
        description:
        - Warn when the number of agents is outside of this range. A range in the syntax of
          the monitoring plugins; empty for none.
        type: str
        default: ''
      count_critical:
        description:
        - Fail when the number of agents is outside of this range. A range in the syntax of
          the monitoring plugins; empty for none.
        type: str
        default: ''
      offline_warning:
        description:
        - Warn when the number of agents that are offline is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      offline_critical:
        description:
        - Fail when the number of agents that are offline is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      stale_warning:
        description:
        - Warn when the time since an agent was last seen, in seconds, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '3600'
      stale_critical:
        description:
        - Fail when the time since an agent was last seen, in seconds, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      provisioning_warning:
        description:
        - Warn when the time that an agent has been in the making or in change, in seconds,
          is outside of this range. A range in the syntax of the monitoring plugins; empty for
          none.
        type: str
        default: '900'
      provisioning_critical:
        description:
        - Fail when the time that an agent has been in the making or in change, in seconds,
          is outside of this range. A range in the syntax of the monitoring plugins; empty for
          none.
        type: str
        default: ''
  gateway:
    description:
    - Options of the check that the backend is connected with its gateways, and why it is not.
    type: dict
    suboptions:
      board_ids:
        description:
        - 'Boards whose gateways are asked for. Empty: every board that is bound to one.'
        type: list
        elements: str
        default: []
      gateway_url:
        description:
        - A gateway to try directly, instead of through boards.
        type: str
        default: ''
      gateway_token:
        description:
        - 'Token for O(gateway.gateway_url). The product takes it in the query string, so it
          appears in the access log of the backend, that is in its journal; unless a board is
          bound to a gateway that is registered with this address and token: then that board
          is asked, without it.'
        type: str
        default: ''
      disable_device_pairing:
        description:
        - For O(gateway.gateway_url).
        type: bool
        default: false
      allow_insecure_tls:
        description:
        - For O(gateway.gateway_url).
        type: bool
        default: false
      required:
        description:
        - Whether it is a failure when no board is bound to a gateway.
        type: bool
        default: false
      sessions_warning:
        description:
        - Warn when the number of sessions is outside of this range. A range in the syntax of
          the monitoring plugins; empty for none.
        type: str
        default: ''
      sessions_critical:
        description:
        - Fail when the number of sessions is outside of this range. A range in the syntax of
          the monitoring plugins; empty for none.
        type: str
        default: ''
  sessions:
    description:
    - Options of the check that the gateways' sessions have keys, agents and recent activity.
    type: dict
    suboptions:
      board_ids:
        description:
        - 'Boards that are asked for. Empty: every board that is bound to a gateway.'
        type: list
        elements: str
        default: []
      expected:
        description:
        - Keys or labels of sessions that must be there.
        type: list
        elements: str
        default: []
      count_warning:
        description:
        - Warn when the number of sessions of a gateway is outside of this range. A range in
          the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      count_critical:
        description:
        - Fail when the number of sessions of a gateway is outside of this range. A range in
          the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      idle_warning:
        description:
        - Warn when the time since the last activity, in seconds, of any but the main session
          is outside of this range. A range in the syntax of the monitoring plugins; empty for
          none.
        type: str
        default: ''
      idle_critical:
        description:
        - Fail when the time since the last activity, in seconds, of any but the main session
          is outside of this range. A range in the syntax of the monitoring plugins; empty for
          none.
        type: str
        default: ''
      agents_without_session:
        description:
        - What an online agent without a session is.
        type: str
        choices:
        - ignore
        - warn
        - fail
        default: warn
      sessions_without_agent:
        description:
        - What a session without an agent is.
        type: str
        choices:
        - ignore
        - warn
        - fail
        default: ignore
  session:
    description:
    - Options of the check that single sessions exist, with a history that is in order and did
      not end in an error.
    type: dict
    suboptions:
      board_ids:
        description:
        - 'Boards that are asked for. Empty: every board that is bound to a gateway.'
        type: list
        elements: str
        default: []
      session_ids:
        description:
        - 'Keys of sessions. Empty: the newest session of each gateway.'
        type: list
        elements: str
        default: []
      messages_minimum:
        description:
        - How many messages a history must have.
        type: int
        default: 0
      message_age_warning:
        description:
        - Warn when the age of the last message, in seconds, is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      message_age_critical:
        description:
        - Fail when the age of the last message, in seconds, is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
  metrics:
    description:
    - Options of the check that the metrics answer for the asked ranges, in shape, and within
      thresholds.
    type: dict
    suboptions:
      ranges:
        description:
        - Ranges to ask for.
        type: list
        elements: str
        choices: &id001
        - 24h
        - 3d
        - 7d
        - 14d
        - 1m
        - 3m
        - 6m
        - 1y
        default: *id001
      board_ids:
        description:
        - Boards to filter by, each with all ranges.
        type: list
        elements: str
        default: []
      group_ids:
        description:
        - Board groups to filter by, each with all ranges.
        type: list
        elements: str
        default: []
      threshold_ranges:
        description:
        - Ranges that the thresholds hold for.
        type: list
        elements: str
        choices: *id001
        default:
        - 24h
      kpi_warning:
        description:
        - 'Ranges of KPIs by name. Outside of them: warn.'
        type: dict
        default: {}
      kpi_critical:
        description:
        - 'Ranges of KPIs by name. Outside of them: fail.'
        type: dict
        default: {}
      change_warning:
        description:
        - 'Ranges by series (V(throughput), V(cycle_time), V(error_rate)) for the change of
          its mean against the comparison series, in percent. Outside of them: warn.'
        type: dict
        default: {}
      change_critical:
        description:
        - 'The same. Outside of them: fail.'
        type: dict
        default: {}
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
        - Path of the API that the page's address is tried with. It is asked without a token,
          so 401 and 403 of the backend's are an answer, too.
        type: str
        default: /api/v1/organizations/me/member
      backend_url:
        description:
        - 'Where the backend is asked when the API''s address is out of reach from here, as
          before DNS is switched or behind a NAT. That it answers there is a warning then. Empty:
          out of reach is a failure.'
        type: str
        default: ''
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
        default: &id002
        - mission-control-backend
        - mission-control-frontend
        - mission-control-worker
      gateway_unit:
        description:
        - Whether a gateway was deployed on this host, whose unit C(openclaw-gateway) must run.
        type: bool
        default: false
      gateway_user:
        description:
        - 'The user of that unit. Empty: the application''s user, or C(openclaw), who has such
          a unit.'
        type: str
        default: ''
      restart_window:
        description:
        - How long ago the last start may lie for automatic restarts to count.
        type: str
        default: 15m
      restarts_warning:
        description:
        - Warn when the number of automatic restarts within O(service.restart_window) is outside
          of this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '0'
      restarts_critical:
        description:
        - Fail when the number of automatic restarts within O(service.restart_window) is outside
          of this range. A range in the syntax of the monitoring plugins; empty for none.
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
  log:
    description:
    - Options of the check that the units' journals hold no errors, tracebacks or floods.
    type: dict
    suboptions:
      units:
        description:
        - The user units.
        type: list
        elements: str
        default: *id002
      since:
        description:
        - From when on. A duration (V(15m), V(2h)), a time (V(2026-11-24T13:00:00)), or V(start),
          each unit's last start.
        type: str
        default: 15m
      errors_warning:
        description:
        - Warn when the number of lines of level error or worse is outside of this range. A
          range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '0'
      errors_critical:
        description:
        - Fail when the number of lines of level error or worse is outside of this range. A
          range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '50'
      tracebacks_warning:
        description:
        - Warn when the number of tracebacks is outside of this range. A range in the syntax
          of the monitoring plugins; empty for none.
        type: str
        default: '0'
      tracebacks_critical:
        description:
        - Fail when the number of tracebacks is outside of this range. A range in the syntax
          of the monitoring plugins; empty for none.
        type: str
        default: '20'
      rate_warning:
        description:
        - Warn when the number of lines in a minute is outside of this range. A range in the
          syntax of the monitoring plugins; empty for none.
        type: str
        default: '3000'
      rate_critical:
        description:
        - Fail when the number of lines in a minute is outside of this range. A range in the
          syntax of the monitoring plugins; empty for none.
        type: str
        default: '30000'
      patterns:
        description:
        - Regular expressions that no line may match.
        type: list
        elements: str
        default: []
      ignore:
        description:
        - Regular expressions of lines to leave out.
        type: list
        elements: str
        default: []
      deployments:
        description:
        - 'Whether errors and tracebacks count that were logged while a deployment went on which
          then succeeded, or was taken back. They are its own: services are switched, a gateway
          is made known. When it went on is in the history (playbook history). Patterns and
          the rate count always.'
        type: bool
        default: false
      past:
        description:
        - Whether errors and tracebacks count that were logged before the unit, or the database,
          queue or gateway of this host that it needs, was started the last time. They ended
          with their cause, and are told. A restart that systemd made by itself ends nothing.
          The rate is that since then, and patterns count always.
        type: bool
        default: false
      worst_lines:
        description:
        - How many of the most frequent errors are shown.
        type: int
        default: 5
      max_lines:
        description:
        - How many lines are read at most.
        type: int
        default: 1000000
  database:
    description:
    - Options of the check that the application can log in, its schema is the deployed one,
      and PostgreSQL is well.
    type: dict
    suboptions:
      database_url:
        description:
        - Address of the database. Without it C(DATABASE_URL) of O(env_file).
        type: str
        default: ''
      statement_timeout:
        description:
        - Seconds that one statement may take.
        type: float
        default: 5.0
      transaction_warning:
        description:
        - Warn when the age of the oldest transaction, in seconds, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '300'
      transaction_critical:
        description:
        - Fail when the age of the oldest transaction, in seconds, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '3600'
      locks_warning:
        description:
        - Warn when the number of sessions that wait for a lock is outside of this range. A
          range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '5'
      locks_critical:
        description:
        - Fail when the number of sessions that wait for a lock is outside of this range. A
          range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '50'
      connections_warning:
        description:
        - Warn when the share of connections in use, in percent, is outside of this range. A
          range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '80'
      connections_critical:
        description:
        - Fail when the share of connections in use, in percent, is outside of this range. A
          range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '95'
      size_warning:
        description:
        - Warn when the size of the database, in bytes, is outside of this range. A range in
          the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      size_critical:
        description:
        - Fail when the size of the database, in bytes, is outside of this range. A range in
          the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      slots_warning:
        description:
        - Warn when what is kept of PostgreSQL's log for a replica that does not fetch it, in
          bytes, is outside of this range. A range in the syntax of the monitoring plugins;
          empty for none.
        type: str
        default: '1000000000'
      slots_critical:
        description:
        - Fail when what is kept of PostgreSQL's log for a replica that does not fetch it, in
          bytes, is outside of this range. A range in the syntax of the monitoring plugins;
          empty for none.
        type: str
        default: '10000000000'
      data_directory:
        description:
        - Where a local PostgreSQL keeps its data.
        type: str
        default: /var/lib/postgresql
      disk_warning:
        description:
        - Warn when the free space there, in percent, is outside of this range. A range in the
          syntax of the monitoring plugins; empty for none.
        type: str
        default: '10:'
      disk_critical:
        description:
        - Fail when the free space there, in percent, is outside of this range. A range in the
          syntax of the monitoring plugins; empty for none.
        type: str
        default: '3:'
      backup_directory:
        description:
        - 'Directory with backups. Empty: not looked at.'
        type: str
        default: ''
      backup_age_warning:
        description:
        - Warn when the age of the last backup, in seconds, is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '129600'
      backup_age_critical:
        description:
        - Fail when the age of the last backup, in seconds, is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '259200'
      certificate_days_warning:
        description:
        - Warn when the days that the server's certificate is still valid is outside of this
          range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '60:'
      certificate_days_critical:
        description:
        - Fail when the days that the server's certificate is still valid is outside of this
          range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '7:'
  queue:
    description:
    - Options of the check that Redis answers, a worker waits, and no work lies there for too
      long.
    type: dict
    suboptions:
      redis_url:
        description:
        - Address of Redis. Without it C(RQ_REDIS_URL) of O(env_file).
        type: str
        default: ''
      queue_name:
        description:
        - Name of the queue. Without it C(RQ_QUEUE_NAME).
        type: str
        default: ''
      redis_users:
        description:
        - 'The users that the deployment''s own Redis may have. Empty: not looked at.'
        type: list
        elements: str
        default: []
      workers_minimum:
        description:
        - How many workers there must be.
        type: int
        default: 1
      hung_after:
        description:
        - Seconds after which a worker that took work and is silent counts as hung.
        type: int
        default: 300
      depth_warning:
        description:
        - Warn when the number of waiting entries is outside of this range. A range in the syntax
          of the monitoring plugins; empty for none.
        type: str
        default: '100'
      depth_critical:
        description:
        - Fail when the number of waiting entries is outside of this range. A range in the syntax
          of the monitoring plugins; empty for none.
        type: str
        default: '1000'
      age_warning:
        description:
        - Warn when the age of the oldest entry, in seconds, is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '60'
      age_critical:
        description:
        - Fail when the age of the oldest entry, in seconds, is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '600'
      overdue_warning:
        description:
        - Warn when how long delayed work is overdue, in seconds, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '60'
      overdue_critical:
        description:
        - Fail when how long delayed work is overdue, in seconds, is outside of this range.
          A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '600'
      certificate_days_warning:
        description:
        - Warn when the days that the server's certificate is still valid is outside of this
          range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '60:'
      certificate_days_critical:
        description:
        - Fail when the days that the server's certificate is still valid is outside of this
          range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '7:'
  host:
    description:
    - Options of the check that clock, disk, memory, ports and sandboxing of the host are right.
    type: dict
    suboptions:
      paths:
        description:
        - Paths whose file systems must have space.
        type: list
        elements: str
        default:
        - /
        - ~/mission-control
        - /tmp
        - /var/log
      disk_warning:
        description:
        - Warn when the free space (or inodes), in percent, is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '10:'
      disk_critical:
        description:
        - Fail when the free space (or inodes), in percent, is outside of this range. A range
          in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '3:'
      memory_warning:
        description:
        - Warn when the available memory, in percent, is outside of this range. A range in the
          syntax of the monitoring plugins; empty for none.
        type: str
        default: '5:'
      memory_critical:
        description:
        - Fail when the available memory, in percent, is outside of this range. A range in the
          syntax of the monitoring plugins; empty for none.
        type: str
        default: '2:'
      ports:
        description:
        - Ports that must be listened on.
        type: list
        elements: dict
        default: []
        suboptions:
          port:
            description:
            - The port.
            type: int
            required: true
          bind:
            description:
            - V(any), V(loopback), an address (one for all means V(any)), or empty for whichever.
            type: str
            default: ''
          unit:
            description:
            - The application user's unit that must hold it.
            type: str
            default: ''
          users:
            description:
            - 'The users who may hold it, where it is no unit''s. Empty: any one.'
            type: list
            elements: str
            default: []
      guarded:
        description:
        - Ports that are for a front door on another host alone, by the table of nftables that
          the role C(firewall) loads.
        type: list
        elements: dict
        default: []
        suboptions:
          port:
            description:
            - The port.
            type: int
            required: true
          sources:
            description:
            - Addresses and networks that reach it from other hosts.
            type: list
            elements: str
            default: []
      strangers:
        description:
        - Whether other ports of O(user) that others can reach are a warning.
        type: bool
        default: true
      allowed_ports:
        description:
        - Ports that are none of these.
        type: list
        elements: int
        default: []
      sandbox_units:
        description:
        - User units whose sandboxing must be in force.
        type: list
        elements: str
        default: *id002
      gateway_sandbox:
        description:
        - Whether the sandboxing of the gateway's unit must be in force, too, where a deployment
          has put one.
        type: bool
        default: true
      certificate_renewal:
        description:
        - Whether certbot has to renew the front door's certificate on this host. The roles
          say so where it is an ACME authority's.
        type: bool
        default: false
  configuration:
    description:
    - Options of the check that what runs is what is deployed, and the settings fit together.
    type: dict
    suboptions:
      environment_units:
        description:
        - Units whose environment must be that of O(env_file).
        type: list
        elements: str
        default:
        - mission-control-backend
        - mission-control-worker
      expected_api_url:
        description:
        - 'The API''s address as deployed. Empty: not compared.'
        type: str
        default: ''
      frontend_url:
        description:
        - 'Where the page is fetched from, to find the address built in. Empty: not looked at.'
        type: str
        default: ''
      gateway_version:
        description:
        - 'The gateway''s version. Empty: not compared.'
        type: str
        default: ''
  front_door:
    description:
    - Options of the check that users come in by TLS, and a proxy in front does nothing to what
      the product relies on.
    type: dict
    suboptions:
      http_url:
        description:
        - Address without TLS, from which users have to be sent on. Empty means port 80 of O(public_url).
        type: str
        default: ''
      hsts:
        description:
        - Whether browsers are to be told to insist on https (HSTS).
        type: bool
        default: true
      direct:
        description:
        - Addresses of backend and frontend themselves, which must not answer from here.
        type: list
        elements: str
        default: []
      closed:
        description:
        - 'What the front door keeps to the deployment''s own hosts: it must not be served to
          here.'
        type: list
        elements: str
        choices:
        - docs
        - health
        default: []
      stream_seconds:
        description:
        - Seconds within which the first event of a stream has to come.
        type: float
        default: 3.0
      stream_hold:
        description:
        - Seconds that a stream is listened to after its first event; it must not be cut meanwhile.
          V(0) leaves that out.
        type: float
        default: 0.0
      forged:
        description:
        - 'Whether to see that the proxy overwrites the address that a client claims, X-Forwarded-For
          and Forwarded. Takes 22 failed logins of an agent, each as somebody else: for a minute
          the product then refuses real ones from the address of this check.'
        type: bool
        default: false
      websocket_path:
        description:
        - Path at which a WebSocket has to be opened. Empty leaves that out.
        type: str
        default: ''
      gateway_url:
        description:
        - Address of the gateway's control page at the door, where the page, its WebSocket and
          its origin are looked at. Empty leaves that out.
        type: str
        default: ''
      certificate_days_warning:
        description:
        - Warn when the number of days for which the certificate is still valid is outside of
          this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '14:'
      certificate_days_critical:
        description:
        - Fail when the number of days for which the certificate is still valid is outside of
          this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '3:'
  backup:
    description:
    - Options of the check that the last backup is recent, has been proved by a drill, and does
      not lie on the host alone.
    type: dict
    suboptions:
      age_warning:
        description:
        - Warn when the time since the last backup that succeeded, in seconds, is outside of
          this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '97200'
      age_critical:
        description:
        - Fail when the time since the last backup that succeeded, in seconds, is outside of
          this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '259200'
      check_age_warning:
        description:
        - Warn when the time since the repository was read from beginning to end, in seconds,
          is outside of this range. A range in the syntax of the monitoring plugins; empty for
          none.
        type: str
        default: '1382400'
      check_age_critical:
        description:
        - Fail when the time since the repository was read from beginning to end, in seconds,
          is outside of this range. A range in the syntax of the monitoring plugins; empty for
          none.
        type: str
        default: '3456000'
      drill_age_warning:
        description:
        - Warn when the time since a restore point was proved by a drill, in seconds, is outside
          of this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '1382400'
      drill_age_critical:
        description:
        - Fail when the time since a restore point was proved by a drill, in seconds, is outside
          of this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: '3456000'
      room_warning:
        description:
        - Warn when the free space of a repository on the host, as a multiple of the last backup,
          is outside of this range. A range in the syntax of the monitoring plugins; empty for
          none.
        type: str
        default: '1.5:'
      room_critical:
        description:
        - Fail when the free space of a repository on the host, as a multiple of the last backup,
          is outside of this range. A range in the syntax of the monitoring plugins; empty for
          none.
        type: str
        default: ''
      growth_warning:
        description:
        - Warn when the size of the last backup, as a multiple of what was usual, is outside
          of this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: 0.5:3
      growth_critical:
        description:
        - Fail when the size of the last backup, as a multiple of what was usual, is outside
          of this range. A range in the syntax of the monitoring plugins; empty for none.
        type: str
        default: ''
      on_the_host:
        description:
        - Whether a repository in a directory of the host is accepted, because that is another
          machine's, or its loss is.
        type: bool
        default: false
      lock_age:
        description:
        - Seconds after which a lock in the repository that nobody refreshes is left behind.
        type: int
        default: 1800
requirements:
- requests (Python library)
- psycopg2 (Python library)
"""
