#!/bin/sh
# The same SPIRE server, left alone: its keys live five minutes, so that one is prepared
# after two and a half, and active 100 seconds later.
port=7290 ca_ttl=5m
. "$(dirname "$0")/../spire/system.sh"
