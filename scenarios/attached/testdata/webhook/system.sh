#!/bin/sh
# A small system whose webhook secret is rotated where it runs: a sender, and a receiver
# that has two secrets in a dotenv file. None of it knows of rehearse.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2
case "$1" in
up)
	SHOP="$folder" python3 rotate.py first
	: >"$folder/deliveries.log"
	nohup python3 hooks.py "$folder/webhook.env" >"$folder/hooks.out" 2>&1 &
	echo $! >"$folder/pids"
	nohup python3 sender.py "$folder" >"$folder/sender.out" 2>&1 &
	echo $! >>"$folder/pids"
	;;
down) xargs kill <"$folder/pids" || true ;;
esac
