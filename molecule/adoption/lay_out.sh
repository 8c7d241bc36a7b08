#!/bin/bash
# Sets Mission Control up as people do. Environment: KIND (guide or installer), USER_NAME, TREE, DATABASE, LOGIN,
# PASSWORD, ADDRESS, and what uv needs for its downloads.
set -euo pipefail

useradd --create-home --user-group --shell /bin/bash "$USER_NAME"
home=/home/$USER_NAME
# Both say: log in, get the checkout. A guide's reader enables linger, the installer does not.
kept=/home/mission-control/mission-control/shared
cp -a $kept/source/*/tree "$TREE"
cp -a $kept/frontend-build/*/project/.next "$TREE/frontend/"
ln -s $kept/frontend-build/*/project/node_modules "$TREE/frontend/"
mkdir -p "$home/.local/bin"
ln -s $kept/runtimes/uv-*/bin/uv "$home/.local/bin/"
chown -R "$USER_NAME:" "$home"
if [ "$KIND" = guide ]; then
  loginctl enable-linger "$USER_NAME"
  systemctl start "user@$(id -u "$USER_NAME").service"
fi

as_user() { runuser -u "$USER_NAME" -- env HOME="$home" PATH="$home/.local/bin:$PATH" XDG_RUNTIME_DIR="/run/user/$(id -u "$USER_NAME")" "$@"; }
cd "$TREE"
as_user git init -q -b main
as_user git add README.md scripts
as_user git -c user.name=x -c user.email=x@example.com commit -qm 'As it was cloned'

# The database, as both of them have it made.
cd /
if [ "$LOGIN" = postgres ]; then
  runuser -u postgres -- psql -qc "alter role postgres password '$PASSWORD'"
else
  runuser -u postgres -- psql -qc "create role $LOGIN login password '$PASSWORD'"
fi
runuser -u postgres -- createdb -O "$LOGIN" "$DATABASE"

token=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
cat >"$TREE/backend/.env" <<SETTINGS
ENVIRONMENT=prod
LOG_LEVEL=DEBUG
LOG_FORMAT=text
REQUEST_LOG_SLOW_MS=750
DATABASE_URL=postgresql+psycopg://$LOGIN:$PASSWORD@localhost:5432/$DATABASE
CORS_ORIGINS=http://$ADDRESS:3000,http://mission-control.example.com:3000
BASE_URL=http://$ADDRESS:8000
SECURITY_HEADER_X_FRAME_OPTIONS=
AUTH_MODE=local
LOCAL_AUTH_TOKEN=$token
DB_AUTO_MIGRATE=false
RQ_REDIS_URL=redis://localhost:6379/0
RQ_QUEUE_NAME=default
# Misspelt, and nobody noticed.
REQUEST_LOG_INCLUDE_HEALT=true
SITE_LABEL="Ward 7"
SETTINGS
printf 'NEXT_PUBLIC_API_URL=auto\nNEXT_PUBLIC_AUTH_MODE=local\n' >"$TREE/frontend/.env"
chown "$USER_NAME:" "$TREE/backend/.env" "$TREE/frontend/.env"

# In a login's shell, a command's working directory is the one it was typed in.
in_backend() { (cd "$TREE/backend" && as_user "$@"); }
in_backend uv sync --frozen --no-dev --quiet --python /usr/bin/python3
in_backend .venv/bin/alembic upgrade head >/dev/null 2>&1
in_backend .venv/bin/python -m app.seed >/dev/null
in_backend .venv/bin/python -c 'from app.services import device_identity; device_identity.load_or_create()'

# Work that is due in a year, and something of somebody else's, in a server that keeps snapshots only.
redis-cli zadd default:scheduled 1900000000 '{"task_type":"later","created_at":"2026-01-01T00:00:00+00:00","attempts":0}' >/dev/null
redis-cli rpush elsewhere one two three >/dev/null

units=$home/.config/systemd/user
as_user mkdir -p "$units"
unit() { # name, directory, command
  cat >"$units/$1.service" <<UNIT
[Unit]
Description=Mission Control

[Service]
Type=simple
WorkingDirectory=$TREE/$2
EnvironmentFile=-$TREE/$2/.env
ExecStart=$3
Restart=on-failure
RestartSec=5

[Install]
WantedBy=default.target
UNIT
}
if [ "$KIND" = guide ]; then
  unit mission-control-backend backend "$TREE/backend/.venv/bin/uvicorn app.main:app --host 0.0.0.0 --port 8000"
  unit mission-control-worker backend "$TREE/backend/.venv/bin/python ../scripts/rq worker"
  unit mission-control-frontend frontend "/usr/local/bin/npm run start -- --hostname 0.0.0.0 --port 3000"
  # Something that its owner added with systemctl edit.
  mkdir "$units/mission-control-worker.service.d"
  printf '[Service]\nNice=3\n' >"$units/mission-control-worker.service.d/override.conf"
  chown -R "$USER_NAME:" "$home/.config"
  as_user systemctl --user daemon-reload
  as_user systemctl --user --quiet enable --now mission-control-backend mission-control-worker mission-control-frontend
else
  # The installer's units are enabled and not started; what serves is of no unit.
  unit openclaw-mission-control-backend backend "uv run uvicorn app.main:app --host 0.0.0.0 --port 8000"
  unit openclaw-mission-control-rq-worker backend "uv run python ../scripts/rq worker"
  unit openclaw-mission-control-frontend frontend "npm run start -- --hostname 0.0.0.0 --port 3000"
  mkdir "$units/default.target.wants"
  for name in backend rq-worker frontend; do
    ln -s "$units/openclaw-mission-control-$name.service" "$units/default.target.wants/"
  done
  logs=$home/.local/state/openclaw-mission-control-install
  mkdir -p "$logs"
  chown -R "$USER_NAME:" "$home/.config" "$home/.local"
  # setsid: this script's terminal goes away with it, a person's stays a while. Who listens has left it.
  start() { (cd "$TREE/$1" && as_user setsid nohup sh -c "exec $2 >$logs/$1.log 2>&1 </dev/null" & ) >/dev/null 2>&1; }
  start backend "uv run uvicorn app.main:app --host 0.0.0.0 --port 8000"
  start frontend "npm run start -- --hostname 0.0.0.0 --port 3000"
  timeout 120 sh -c 'for port in 8000 3000; do until ss -Htln "sport = :$port" | grep -q .; do sleep 0.2; done; done'
fi
