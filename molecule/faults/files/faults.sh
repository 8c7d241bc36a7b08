# What the faults in vars/faults.yml are made of, for bash. Each ends when what it did has come about.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

app=mission-control
home=/home/$app
root=$home/mission-control
env_file=$root/current/backend/.env
saved=/root/saved
mkdir -p "$saved"
# For redis-cli.
REDISCLI_AUTH=$(cat /var/lib/mission-control/redis-password)
export REDISCLI_AUTH

# Wait for a command to succeed: until_true SECONDS COMMAND...
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "not true in time: $*" >&2; return 1; }
    sleep 0.1
  done
}

gateway_units() { runuser -u openclaw -- env "XDG_RUNTIME_DIR=/run/user/$(id -u openclaw)" systemctl --user "$@"; }
units() { runuser -u "$app" -- env "XDG_RUNTIME_DIR=/run/user/$(id -u "$app")" systemctl --user "$@"; }
as_app() { (cd "$root/current/backend" && runuser -u "$app" -- "$@"); }
sql() { (cd / && runuser -u postgres -- psql -qAt -v ON_ERROR_STOP=1 -d mission_control -c "$1"); }
holds() { [ "$(sql "SELECT $1 FROM pg_stat_activity")" = t ]; }
locks() { [ "$(sql "SELECT count(*) > 0 FROM pg_locks WHERE $1")" = t ]; }
main_pid() { units show --property MainPID --value "$1"; }
gateway_pid() { gateway_units show --property MainPID --value openclaw-gateway; }
group_of() { echo "/sys/fs/cgroup$(units show --property ControlGroup --value "$1")/cgroup.procs"; }
# An entry of the queue: task TYPE PAYLOAD
task() {
  printf '{"task_type": "%s", "payload": %s, "created_at": "%s", "attempts": 0}' "$1" "$2" "$(date --utc --iso-8601=seconds)"
}
setting() { sed -n "s|^$1=||p" "$env_file"; }

# A program that outlives the task: background NAME COMMAND...
background() { systemd-run --quiet --collect --expand-environment=no --unit "fault-$1" -- "${@:2}"; }
end() { systemctl stop "fault-$1" 2>/dev/null || true; }

# A host of its own has no curl. ask URL [HEADER VALUE]
ask() {
  python3 -c 'import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], headers=dict([sys.argv[2:]] if sys.argv[2:] else [])), timeout=5).read()' "$@"
}
listens() { : <"/dev/tcp/127.0.0.1/$1"; }
# answers PORT PATH: with 200, within 5 s; bash alone, because it is asked again and again.
answers() {
  local status=
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  read -r -t 5 status <&3 || true
  exec 3<&-
  [[ $status == HTTP/1.?\ 200* ]]
}
serving() { answers 8000 /healthz; }
showing() { answers 3000 /; }
connected() { answers 18789 /health; }
# Its first history after a start takes a gateway long: who asks too early waits, and finds an error in the log.
remembering() { openclaw_call chat.history '{"sessionKey": "agent:front-desk:main"}'; }

# A worker that is ready waits for the queue: a blocked client of Redis.
working() { redis-cli client list | grep -q ' flags=[a-zA-Z]*b'; }

restart_backend() {
  units restart "$app-backend" "$app-worker"
  until_true 60 serving && until_true 60 working
}

# Change lines of the environment file, as somebody with an editor would: change NAME=VALUE...; "NAME" removes it.
change() {
  [ -e "$saved/env" ] || cp --preserve=all "$env_file" "$saved/env"
  for line in "$@"; do
    sed --in-place "/^${line%%=*}=/d" "$env_file"
    [ "$line" = "${line%%=*}" ] || echo "$line" >>"$env_file"
  done
}
change_back() {
  [ -e "$saved/env" ] || return 0
  cp --preserve=all "$saved/env" "$env_file"
  rm "$saved/env"
}

# --- the front door, where door.yml has deployed one
door=mission-control-proxy
door_settings=/etc/mission-control/proxy/haproxy.cfg
door_certificate=/etc/mission-control/tls/proxy
door_pid() { systemctl show --property MainPID --value $door; }
door_workers() { pgrep -P "$(door_pid)"; }
door_address() { sed -n 's|.* redirect prefix https://\([^ ]*\) .*|\1|p' $door_settings; }
# Another worker than there were: door_renewed OLD
door_renewed() { door_workers | grep -vxF "$1"; }
door_reads() {
  local before
  before=$(door_workers)
  systemctl reload $door
  until_true 30 door_renewed "$before"
  until_true 30 listens 443
}
# As somebody with an editor would: change_door [SED OPTIONS] SCRIPT
change_door() {
  local before
  before=$(sha256sum <$door_settings)
  sed -i -E "$@" $door_settings
  [ "$(sha256sum <$door_settings)" != "$before" ] || { echo "it changes nothing: $*" >&2; return 1; }
  door_reads
}
# Another certificate: show MAKE NAMES [OPTIONS OF OPENSSL]
show() {
  local place
  place=$(mktemp -d)
  (cd "$place" && "$@")
  for part in key crt; do cat "$place/proxy.$part" >$door_certificate.$part; done
  rm -r "$place"
  door_reads
}
elliptic() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout proxy.key -subj /CN=x "$@" 2>/dev/null; }
# By the deployment's own authority, and by nobody.
issued() {
  local authority=/var/lib/mission-control/authority/authority
  elliptic -out request
  openssl x509 -req -in request -CA $authority.crt -CAkey $authority.key -out proxy.crt -extfile <(echo "subjectAltName=$1") "${@:2}" 2>/dev/null
}
alone() { elliptic -x509 -days 30 -addext "subjectAltName=$1" -out proxy.crt; }

# Of the made-up agents the one with a session is at work, the others were a while ago.
seen() {
  sql "UPDATE agents SET status = 'active', last_seen_at = timezone('utc', now()) - CASE openclaw_session_id
       WHEN 'agent:mc-demo-1:main' THEN interval '0' ELSE interval '20 minutes' END"
}

prepare() {
  local address
  address=$(setting CORS_ORIGINS | sed 's|^http://\(.*\):3000$|\1|')
  ip address replace "$address/32" dev lo
  seen
  until_true 60 serving
  until_true 60 showing
  until_true 60 connected
  until_true 300 remembering
  until_true 60 working
}

openclaw_call() { runuser -u openclaw -- /home/openclaw/openclaw-gateway/bin/openclaw gateway call "$1" --params "$2" --timeout 60000; }
