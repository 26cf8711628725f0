#!/bin/sh
# An issuer and an API that checks its tokens, whose signing key a script of the team's
# own rotates by itself. None of it knows of rehearse.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2
case "$1" in
up)
	CGO_ENABLED=0 go build -o "$folder/identity" ./identity
	LISTEN=127.0.0.1:7680 nohup "$folder/identity" auth >"$folder/auth.out" 2>&1 &
	echo $! >"$folder/pids"
	LISTEN=127.0.0.1:7681 JWKS_URL=http://127.0.0.1:7680/jwks CACHE_TTL=4s nohup "$folder/identity" search >"$folder/search.out" 2>&1 &
	echo $! >>"$folder/pids"
	;;
down) xargs kill <"$folder/pids" || true ;;
esac
