#!/bin/sh
# How the team rotates its login to the broker: two users who take turns.
#   rotate.sh first|which|make|accept|emit|revoke|restore|value [USER]. What goes wrong:
#   accept-bare (the new user may log in, and nothing more), keep (the shop keeps its connection, with the login that it has), change (of the old user
#   the password is changed, and nothing else)
set -eu
name=${2-}
api() { curl -sf -o /dev/null -K "$SHOP/admin" -H 'Content-Type: application/json' -X "$1" "http://127.0.0.1:7780/api/$2" ${3+-d "$3"}; }
make() {
	name=shop-$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
	(umask 077 && od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >"$SHOP/$name")
}
user() { api PUT "users/$name" "{\"password\": \"$(cat "$SHOP/$name")\", \"tags\": \"\"}"; }
accept() {
	user
	api PUT "permissions/%2F/$name" '{"configure": ".*", "write": ".*", "read": ".*"}'
}
emit() {
	(umask 077 && echo "$name $(cat "$SHOP/$name")" >"$SHOP/login.new")
	mv "$SHOP/login.new" "$SHOP/login"
}
case "$1" in
first) make && accept && emit && echo 0.2 >"$SHOP/keep" ;;
which) cut -d' ' -f1 "$SHOP/login" ;;
make) make && echo "$name" ;;
accept | restore) accept ;;
accept-bare) user ;;
emit) emit ;;
keep) echo 3600 >"$SHOP/keep" ;;
revoke) api DELETE "users/$name" ;;
change) api PUT "users/$name" '{"password": "changed", "tags": ""}' ;;
value) cat "$SHOP/$name" ;;
esac
