#!/bin/sh
# Rehearses the systems in this folder where they run, each scenario with one that
# was brought up for it, and says what came of each.
#   rehearse.sh REHEARSE [SYSTEM…]
set -u
rehearse=$(realpath "$1") && shift
cd "$(dirname "$0")" || exit 1
root=/tmp/rehearse-attached # the scenarios have it, too
[ $# -gt 0 ] || set -- */
bad=0
for system; do
	system=${system%/}
	for scenario in "$system"/*.yaml; do
		name=$(basename "$scenario" .yaml)
		[ "$name" != runbook ] || continue
		rm -rf "$root/$system" && mkdir -p "$root/$system"
		if "$system/system.sh" up "$root/$system"; then
			SHOP="$root/$system" "$rehearse" test --yes "$scenario" || bad=1
		else
			echo "$system could not be brought up" && bad=1
		fi
		"$system/system.sh" down "$root/$system"
	done
done
rm -rf "$root"
exit $bad
