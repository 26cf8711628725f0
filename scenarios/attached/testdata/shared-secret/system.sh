#!/bin/sh
# A token service and an API that share a secret, which the team's own script rotates.
# None of it knows of rehearse.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2
case "$1" in
up)
	SHOP="$folder" python3 rotate.py first
	nohup /usr/bin/python3 auth.py "$folder" >"$folder/auth.out" 2>&1 &
	echo $! >"$folder/pids"
	nohup node api.js "$folder" >"$folder/api.out" 2>&1 &
	echo $! >>"$folder/pids"
	;;
down) xargs kill <"$folder/pids" || true ;;
esac
