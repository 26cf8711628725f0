#!/bin/sh
# How the team rotates: two users of MariaDB that take turns.
#   two-users.sh first|which|make|accept|emit|revoke|restore|value [USER]
set -eu
secrets=$SHOP/secrets
sql() { MYSQL_PWD=$(cat "$secrets/admin") mariadb --no-defaults -NB -h 127.0.0.1 -P 7306 -u admin -e "$1"; }
accept() {
	(umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$secrets/$1")
	sql "CREATE USER IF NOT EXISTS $1; GRANT SELECT ON shop.* TO $1; SET PASSWORD FOR $1 = PASSWORD('$(cat "$secrets/$1")'); ALTER USER $1 ACCOUNT UNLOCK"
}
emit() {
	(umask 077 && echo "$1 $(cat "$secrets/$1")" >"$secrets/login.new")
	mv "$secrets/login.new" "$secrets/login" && echo "$1" >"$secrets/which"
}
case "$1" in
first) accept shop_blue && emit shop_blue ;;
which) cat "$secrets/which" ;;
make) if grep -q blue "$secrets/which"; then echo shop_green; else echo shop_blue; fi ;;
accept) accept "$2" ;;
emit) emit "$2" ;;
revoke) sql "ALTER USER $2 ACCOUNT LOCK; KILL USER $2" ;;
restore) sql "ALTER USER $2 ACCOUNT UNLOCK" ;;
value) cat "$secrets/$2" ;;
esac
