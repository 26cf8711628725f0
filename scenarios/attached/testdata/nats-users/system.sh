#!/bin/sh
# A small system whose login to a broker is rotated where it runs: a NATS server on loopback, and a service
# that reads its login from a file.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2 port=7880
export SHOP="$folder"
case "$1" in
up)
	CGO_ENABLED=0 go build -o "$folder/shop" ./shop
	mkdir -p "$folder/entries" && ./rotate.sh first
	nohup ../../../../.cache/peers/nats -c "$folder/nats.conf" -P "$folder/broker.pid" >"$folder/broker.log" 2>&1 &
	echo $! >"$folder/pids"
	for _ in $(seq 50); do curl -sf -o /dev/null http://127.0.0.1:$((port + 1))/healthz && break || sleep 0.2; done
	BROKER=nats://127.0.0.1:$port LOGIN_FILE="$folder/login" LISTEN=127.0.0.1:$((port + 2)) nohup "$folder/shop" >"$folder/shop.log" 2>&1 &
	echo $! >>"$folder/pids"
	for _ in $(seq 50); do curl -sf -o /dev/null http://127.0.0.1:$((port + 2))/healthz && break || sleep 0.2; done
	;;
down) xargs kill <"$folder/pids" || true ;;
esac
