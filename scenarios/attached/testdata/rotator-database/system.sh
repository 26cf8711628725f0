#!/bin/sh
# The system of ../database, whose password is a secret of a manager that has it rotated
# by a function of the team's own.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
DB_PORT=7532 SHOP_PORT=7580 ROTATE="$here/secret.py" exec "$here/../database/system.sh" "$@"
