#!/bin/sh
# Rehearses the systems in this folder, or those that are named, where they run, each
# scenario with one that was brought up for it; the systems go side by side, for they
# mostly wait. SHARD=1/2 is one half of the systems. Their ports are fixed, so that one
# such run goes at a time.
# LOAD_SHARDS=2 has two processes send the load.
#   rehearse.sh REHEARSE [SYSTEM…]
set -u
rehearse=$(realpath "$1") && shift
export REHEARSE="$rehearse" # some systems have verifiers of its stand-ins
cd "$(dirname "$0")" || exit 1
root=/tmp/rehearse-attached # the scenarios have it, too
exec 9>"$root.lock"
flock 9
part=${SHARD:-1/1}
[ $# != 0 ] || set -- */
number=0
for system; do
	[ $((number % ${part#*/} + 1)) != "${part%/*}" ] || set -- "$@" "$system"
	number=$((number + 1))
done
shift $number

# one rehearses the scenarios of a system; what came of them is its status.
one() {
	bad=0
	name=$(basename "$1")
	for scenario in "$1"/*.yaml; do
		run=$name-$(basename "$scenario" .yaml)
		[ "$run" != "$name-runbook" ] || continue
		rm -rf "${root:?}/$name" && mkdir -p "$root/$name"
		if "$1/system.sh" up "$root/$name"; then
			[ ! -e "$root/$name/env" ] || . "$root/$name/env" # what its scenarios have of the environment
			SHOP="$root/$name" "$rehearse" test --yes --load-shards "${LOAD_SHARDS:-1}" --out "$root/runs/$run" "$scenario" || bad=1
		else
			echo "$name could not be brought up" && bad=1
		fi
		"$1/system.sh" down "$root/$name"
	done
	return $bad
}

rm -rf "$root" && mkdir -p "$root"
waits=""
for system; do
	system=${system%/}
	one "$system" >"$root/$(basename "$system").out" 2>&1 9>&- &
	waits="$waits $(basename "$system"):$!"
done
status=0
for wait in $waits; do
	wait "${wait#*:}" || status=1
	grep -v '^attached to\|^evidence for' "$root/${wait%:*}.out"
done
[ $status != 0 ] || rm -rf "$root"
exit $status
