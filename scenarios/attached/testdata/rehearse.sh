#!/bin/sh
# Rehearses the systems in this folder where they run, each scenario with one that
# was brought up for it; the systems go side by side, for they mostly wait. SHARD=1/2 is
# one half of the systems. Their ports are fixed, so that one such run goes at a time.
#   rehearse.sh REHEARSE [SYSTEM…]
set -u
rehearse=$(realpath "$1") && shift
cd "$(dirname "$0")" || exit 1
root=/tmp/rehearse-attached # the scenarios have it, too
exec 9>"$root.lock"
flock 9
part=${SHARD:-1/1}
if [ $# = 0 ]; then
	number=0
	for system in */; do
		[ $((number % ${part#*/} + 1)) != "${part%/*}" ] || set -- "$@" "$system"
		number=$((number + 1))
	done
fi

# one rehearses the scenarios of a system; what came of them is its status.
one() {
	bad=0
	for scenario in "$1"/*.yaml; do
		name=$(basename "$scenario" .yaml)
		[ "$name" != runbook ] || continue
		rm -rf "$root/$1" && mkdir -p "$root/$1"
		if "$1/system.sh" up "$root/$1"; then
			[ ! -e "$root/$1/env" ] || . "$root/$1/env" # what its scenarios have of the environment
			SHOP="$root/$1" "$rehearse" test --yes --out "$root/runs/$1-$name" "$scenario" || bad=1
		else
			echo "$1 could not be brought up" && bad=1
		fi
		"$1/system.sh" down "$root/$1"
	done
	return $bad
}

rm -rf "$root" && mkdir -p "$root"
waits=""
for system; do
	system=${system%/}
	one "$system" >"$root/$system.out" 2>&1 9>&- &
	waits="$waits $system:$!"
done
status=0
for wait in $waits; do
	wait "${wait#*:}" || status=1
	grep -v '^attached to\|^evidence for' "$root/${wait%:*}.out"
done
[ $status != 0 ] || rm -rf "$root"
exit $status
