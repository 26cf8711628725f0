#!/bin/sh
# How the team rotates its login to NATS: two users who take turns, each an entry of its configuration.
#   rotate.sh first|which|make|accept|emit|revoke|value [USER]. What goes wrong: accept-other (the new user may publish
#   something else only), accept-twice (its entry is written twice)
set -eu
name=${2-}
reload() { # all entries are in its configuration, which it reads anew
	(umask 077 && printf 'listen: 127.0.0.1:7880\nhttp: 127.0.0.1:7881\nauthorization { users = [\n%s\n] }\n' "$(cat "$SHOP"/entries/*)" >"$SHOP/nats.conf.new")
	mv "$SHOP/nats.conf.new" "$SHOP/nats.conf"
	[ ! -e "$SHOP/broker.pid" ] || ../../../../.cache/peers/nats --signal reload="$SHOP/broker.pid"
}
entry() { (umask 077 && echo "{user: $1, password: $(cat "$SHOP/$name"), permissions: {publish: [\"$2\", \"_INBOX.>\"]}}" >"$SHOP/entries/$name"); }
make() {
	name=shop-$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
	(umask 077 && od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >"$SHOP/$name")
}
emit() {
	(umask 077 && echo "$name $(cat "$SHOP/$name")" >"$SHOP/login.new")
	mv "$SHOP/login.new" "$SHOP/login"
}
case "$1" in
first) make && entry "$name" orders && reload && emit ;;
which) cut -d' ' -f1 "$SHOP/login" ;;
make) make && echo "$name" ;;
accept) entry "$name" orders && reload ;;
accept-other) entry "$name" stock && reload ;;
accept-twice) entry "$name" orders && cp "$SHOP/entries/$name" "$SHOP/entries/$name-again" && reload ;;
emit) emit ;;
revoke) rm "$SHOP/entries/$name"* && reload ;;
value) cat "$SHOP/$name" ;;
esac
