#!/bin/sh
# How the team rotates: two roles, blue and green, of which one is in use.
#   two-roles.sh first|which|make|accept|emit|revoke|restore|value [ROLE]; accept-none has no room for a connection of the role;
#   accept-any lets it in with any password
set -eu
secrets=$SHOP/secrets
sql() { PGPASSWORD=$(cat "$secrets/admin") psql -qAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -p 7432 -U admin postgres -c "$1"; }
accept() {
	(umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$secrets/$1")
	[ -n "$(sql "SELECT 1 FROM pg_roles WHERE rolname = '$1'")" ] || sql "CREATE ROLE $1"
	sql "ALTER ROLE $1 LOGIN PASSWORD '$(cat "$secrets/$1")'"
}
emit() {
	(umask 077 && echo "postgres://$1:$(cat "$secrets/$1")@127.0.0.1:7432/postgres?sslmode=disable&application_name=shop" >"$secrets/dsn.new")
	mv "$secrets/dsn.new" "$secrets/dsn" && echo "$1" >"$secrets/which"
}
case "$1" in
first) accept shop_blue && emit shop_blue ;;
which) cat "$secrets/which" ;;
make) if grep -q blue "$secrets/which"; then echo shop_green; else echo shop_blue; fi ;;
accept) accept "$2" ;;
accept-none) accept "$2" && sql "ALTER ROLE $2 CONNECTION LIMIT 0" ;;
accept-any)
	accept "$2"
	hba=$SHOP/server/data/pg_hba.conf
	{ echo "host all $2 127.0.0.1/32 trust" && cat "$hba"; } >"$SHOP/hba" && cat "$SHOP/hba" >"$hba" && sql "SELECT pg_reload_conf()" >/dev/null
	;;
emit) emit "$2" ;;
revoke) sql "ALTER ROLE $2 NOLOGIN" && sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '$2'" >/dev/null ;;
restore) sql "ALTER ROLE $2 LOGIN" ;;
value) cat "$secrets/$2" ;;
esac
