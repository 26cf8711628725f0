#!/bin/sh
# edge.sh CONFIG ONE OTHER: HAProxy with one or two public keys; HUP reads both anew.
made=$(mktemp -d)
keys() {
  cp "$2" "$made/one.pem"; if [ -s "$3" ]; then cp "$3" "$made/other.pem"; else cp "$2" "$made/other.pem"; fi
  sed "s#@one@#$made/one.pem#; s#@other@#$made/other.pem#" "$1" >"$made/haproxy.cfg"
}
keys "$@"
/usr/sbin/haproxy -W -db -f "$made/haproxy.cfg" &
pid=$!
trap 'keys "$@"; kill -USR2 $pid' HUP
trap 'kill $pid; wait $pid; rm -rf "$made"; exit 0' TERM INT
while kill -0 $pid 2>/dev/null; do wait $pid; done
