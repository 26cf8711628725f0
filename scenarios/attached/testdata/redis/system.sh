#!/bin/sh
# A small system whose Redis login is rotated where it runs: Debian's redis-server on
# loopback with its ACLs, and a service that reads its login from a file.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2
port=${CACHE_PORT:-7379} listen=127.0.0.1:${SHOP_PORT:-7380}
export SHOP="$folder"
case "$1" in
up)
	CGO_ENABLED=0 go build -o "$folder/shop" ./shop
	mkdir -p "$folder/secrets"
	for who in admin observer; do (umask 077 && od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >"$folder/secrets/$who"); done
	(umask 077 && cat >"$folder/redis.conf") <<CONF
port $port
bind 127.0.0.1
save ""
dir $folder
user default off
user admin on +@all ~* >$(cat "$folder/secrets/admin")
user observer on +client|list +acl|log +ping >$(cat "$folder/secrets/observer")
CONF
	echo "$port" >"$folder/port"
	(umask 077 && echo "export OBSERVER=$(cat "$folder/secrets/observer")" >"$folder/env")
	nohup redis-server "$folder/redis.conf" >"$folder/redis.log" 2>&1 &
	echo $! >"$folder/pids"
	for _ in 1 2 3 4 5 6 7 8 9 10; do redis-cli -p "$port" PING >/dev/null 2>&1 && break || sleep 0.2; done
	./rotate.sh "${WAY:-users}" first
	CACHE=127.0.0.1:$port CACHE_LOGIN_FILE="$folder/secrets/login" LISTEN=$listen nohup "$folder/shop" >"$folder/shop.log" 2>&1 &
	echo $! >>"$folder/pids"
	;;
down) xargs kill <"$folder/pids" || true ;;
esac
