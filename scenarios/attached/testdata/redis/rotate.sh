#!/bin/sh
# How the team rotates: two users that take turns, or one user with two passwords.
#   rotate.sh users|passwords first|which|make|accept|emit|revoke|restore|value [ID]
set -eu
secrets=$SHOP/secrets
acl() { redis-cli -p "$(cat "$SHOP/port")" --no-auth-warning --user admin --pass "$(cat "$secrets/admin")" "$@" >"$SHOP/last" && ! grep -q '^\(ERR\|WRONGPASS\|NOPERM\)' "$SHOP/last"; }
way=$1
user() { if [ "$way" = users ]; then echo "$1"; else echo shop; fi; }
password() { (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$secrets/$1"); }
accept() { acl ACL SETUSER "$(user "$1")" on '~shop:*' '-@all' '+@read' '+@write' '+@connection' ">$(cat "$secrets/$1")"; }
emit() {
	(umask 077 && echo "$1 $(user "$1") $(cat "$secrets/$1")" >"$secrets/login.new")
	mv "$secrets/login.new" "$secrets/login" && echo "$1" >"$secrets/which"
}
case "$2" in
first) password shop_a && accept shop_a && emit shop_a ;;
which) cat "$secrets/which" ;;
make) next=$(sed 's/a$/B/;s/b$/a/;s/B$/b/' "$secrets/which") && password "$next" && echo "$next" ;;
accept | restore) accept "$3" ;;
emit) emit "$3" ;;
revoke) acl ACL SETUSER "$(user "$3")" "<$(cat "$secrets/$3")" && acl CLIENT KILL USER "$(user "$3")" ;;
value) cat "$secrets/$3" ;;
esac
