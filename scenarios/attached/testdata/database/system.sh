#!/bin/sh
# A small system whose database password is rotated where it runs: Debian's
# PostgreSQL on loopback, in a folder of its own, and a service that reads its DSN
# from a file. None of it knows of rehearse.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$2
db=${DB_PORT:-7432} listen=127.0.0.1:${SHOP_PORT:-7080}
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
# PostgreSQL does not run as root.
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"; else "$@"; fi; }
case "$1" in
up)
	(cd "$here" && CGO_ENABLED=0 go build -o "$folder/shop" ./shop)
	mkdir -p "$folder/secrets" && mkdir -p "$folder/server" && chmod 755 "$folder"
	[ "$(id -u)" != 0 ] || chown nobody:nogroup "$folder/server"
	cd "$folder/server"
	echo "admin-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')" >"$folder/secrets/admin"
	cp "$folder/secrets/admin" "$folder/server/admin" && chmod 644 "$folder/server/admin"
	as "$bin/initdb" -D data -U admin --pwfile=admin -A scram-sha-256 -N >/dev/null
	rm "$folder/server/admin"
	: >server.log && chmod 666 server.log
	as "$bin/pg_ctl" -D data -l server.log -w -o "-p $db -h 127.0.0.1 -c unix_socket_directories= -c log_connections=on -c fsync=off" start >/dev/null
	cd "$here"
	export SHOP="$folder"
	"${ROTATE:-./two-roles.sh}" first
	DATABASE_URL_FILE="$folder/secrets/dsn" LISTEN=$listen CONN_MAX_LIFETIME=500ms nohup "$folder/shop" >"$folder/shop.log" 2>&1 &
	echo $! >"$folder/shop.pid"
	;;
down)
	[ ! -e "$folder/shop.pid" ] || kill "$(cat "$folder/shop.pid")" || true
	cd "$folder/server" && as "$bin/pg_ctl" -D data -m immediate stop >/dev/null || true
	;;
esac
