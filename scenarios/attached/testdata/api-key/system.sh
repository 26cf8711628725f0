#!/bin/sh
# A small system whose API key is rotated where it runs: a provider, and a client of
# it that reads the key from a file. None of it knows of rehearse.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2
case "$1" in
up)
	SHOP="$folder" python3 keys.py first
	: >"$folder/access.log"
	nohup python3 provider.py "$folder" >"$folder/provider.out" 2>&1 &
	echo $! >"$folder/pids"
	PAYMENTS_BASE_URL=http://127.0.0.1:7180 PAYMENTS_KEY_FILE="$folder/payments_api_key" PORT=7181 nohup python3 payclient.py >"$folder/payclient.out" 2>&1 &
	echo $! >>"$folder/pids"
	nohup python3 prometheus.py "$folder" >"$folder/prometheus.out" 2>&1 &
	echo $! >>"$folder/pids"
	;;
down) xargs kill <"$folder/pids" || true ;;
esac
