#!/bin/sh
# An authority (once) and a certificate of it for a gateway: make_certificate.sh ADDRESS
set -eu
mkdir -p /etc/openclaw
cd /etc/openclaw
request() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 7 "$@" 2>/dev/null
}
[ -e authority.pem ] || request -subj "/CN=Authority of the scenario" -addext keyUsage=critical,keyCertSign \
    -keyout authority.key -out authority.pem
request -CA authority.pem -CAkey authority.key -subj /CN=gateway -addext basicConstraints=critical,CA:FALSE \
    -addext "subjectAltName=IP:$1" -keyout gateway.key -out gateway.pem
chgrp gateway-key gateway.key
chmod 0640 gateway.key
