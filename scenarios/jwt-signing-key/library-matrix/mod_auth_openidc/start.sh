#!/bin/sh
# Makes the certificate of the key set's host, and becomes Apache.
set -e
export PORT="${PORT:-8080}"
echo ok >/srv/index.html
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout /run/jwks.key -out /run/jwks.pem 2>/dev/null
. /etc/apache2/envvars
mkdir -p "$APACHE_RUN_DIR" "$APACHE_LOCK_DIR"
exec apache2 -D FOREGROUND -E /dev/stderr ${JWKS_REFRESH:+-D JWKS_REFRESH}
