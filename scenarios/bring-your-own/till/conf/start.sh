#!/bin/sh
# Starts the till with the port that is in the folder of its settings.
PORT=$(cat "$(dirname "$0")/port") exec python3 /service.py
