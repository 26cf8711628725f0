#!/bin/sh
# The system of ../redis, with one user who takes two passwords at once.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
CACHE_PORT=7479 SHOP_PORT=7480 WAY=passwords exec "$(dirname "$0")/../redis/system.sh" "$@"
