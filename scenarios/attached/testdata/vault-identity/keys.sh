#!/bin/sh
# What a team does to rotate the key of a Vault that signs by itself: it publishes the
# next key beside the one in use, so that there is nothing to do to have it accepted.
#   keys.sh next · keys.sh rotate [TTL] · keys.sh rotate-twice
set -eu
api=http://127.0.0.1:7210/v1/identity/oidc
case "$1" in
next) # the one key of our kind in the set that no token is signed with
	signs=$(curl -sf -X POST http://127.0.0.1:7214/token | /usr/bin/python3 -c '
import json, sys, jwt
print(jwt.get_unverified_header(json.load(sys.stdin)["access_token"])["kid"])')
	curl -sf $api/.well-known/keys | /usr/bin/python3 -c '
import json, sys
print(*[k["kid"] for k in json.load(sys.stdin)["keys"] if k["alg"] == "ES256" and k["kid"] != sys.argv[1]], sep="\n")' "$signs" | tail -n 1
	;;
rotate) curl -sf -X POST -H "X-Vault-Token: rehearsed" -d "{\"verification_ttl\": \"${2:-15s}\"}" $api/key/shop/rotate ;;
rotate-twice) "$0" rotate && sleep 1 && "$0" rotate ;;
esac
