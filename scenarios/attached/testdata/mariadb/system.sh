#!/bin/sh
# A small system whose MariaDB login is rotated where it runs: Debian's server on loopback
# with its audit plugin, in a folder of its own, and a service that reads its login from a
# file. None of it knows of rehearse.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2
port=${DB_PORT:-7306} listen=127.0.0.1:${SHOP_PORT:-7307}
export SHOP="$folder" PATH="$PATH:/usr/sbin"
# MariaDB does not run as root.
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"; else "$@"; fi; }
case "$1" in
up)
	CGO_ENABLED=0 go build -o "$folder/shop" ./shop
	mkdir -p "$folder/secrets" "$folder/server" && chmod 755 "$folder"
	[ "$(id -u)" != 0 ] || chown nobody:nogroup "$folder/server"
	(umask 077 && od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >"$folder/secrets/admin")
	server=$folder/server
	quick="--innodb=OFF --default-storage-engine=Aria --debug-no-sync --skip-name-resolve --tmpdir=$server"
	as mariadb-install-db --no-defaults --datadir="$server/data" --skip-test-db $quick >/dev/null
	cat >"$server/first.sql" <<SQL
CREATE USER IF NOT EXISTS admin IDENTIFIED BY '$(cat "$folder/secrets/admin")';
GRANT ALL ON *.* TO admin WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS shop;
CREATE TABLE IF NOT EXISTS shop.orders AS SELECT 1 AS id;
SQL
	chmod 644 "$server/first.sql"
	as nohup mariadbd --no-defaults --datadir="$server/data" --port="$port" --bind-address=127.0.0.1 --socket= --pid-file="$server/pid" --init-file="$server/first.sql" \
		--plugin-load-add=server_audit --server-audit-logging=ON --server-audit-events=CONNECT --server-audit-file-path="$server/audit.log" \
		$quick >"$server/server.log" 2>&1 &
	for _ in 1 2 3 4 5 6 7 8 9 10; do ./two-users.sh first 2>/dev/null && break || sleep 0.5; done
	rm "$server/first.sql"
	DB=127.0.0.1:$port DB_LOGIN_FILE="$folder/secrets/login" LISTEN=$listen nohup "$folder/shop" >"$folder/shop.log" 2>&1 &
	echo $! >"$folder/shop.pid"
	;;
down) cat "$folder/shop.pid" "$folder/server/pid" | xargs kill || true ;;
esac
