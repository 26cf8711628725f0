#!/bin/sh
# An issuer of a few lines that has Vault's transit engine sign: Vault keeps every version
# of the key, and who asks it says which one signs. SIGN=0 is the latest, its default.
cd "$(dirname "$0")" && port=7230
url=http://127.0.0.1:$port
export VAULT_ADDR=http://127.0.0.1:$((port + 6)) VAULT_TOKEN=rehearsed
keys() { echo $url/keys; }
issuer() { echo $url; }
version() { "$cache/vault" version | sed 's/Vault \(v[0-9.]*\).*/\1/'; }
vault() { curl -sf -H "X-Vault-Token: $VAULT_TOKEN" -X "$1" "$VAULT_ADDR/v1/$2" -d "${3-}"; }
start() {
	HOME="$folder" run vault "$cache/vault" server -dev -dev-no-store-token -dev-root-token-id=$VAULT_TOKEN -dev-listen-address="${VAULT_ADDR#http://}"
	answers $VAULT_ADDR/v1/sys/health
	vault POST sys/mounts/transit '{"type": "transit"}'
	vault POST transit/keys/shop '{"type": "ecdsa-p256"}' >"$folder/made"
	echo 1 >"$folder/sign"
	SIGN=$folder/sign ISSUER=$url PORT=$port run issuer /usr/bin/python3 issuer.py
	answers "$(keys)"
}
token() { curl -sf -d "seconds=$1&kid=${2-transit-v0}" $url/token | sed 's/.*"access_token": "\([^"]*\)".*/\1/'; }
latest() { vault GET transit/keys/shop | sed 's/.*"latest_version":\([0-9]*\).*/\1/'; }
make() { echo "transit-v$(($(latest) + 1))"; }        # the version that the next rotation makes
accept() { vault POST transit/keys/shop/rotate >/dev/null; }
emit() { echo "${1#transit-v}" >"$folder/sign"; }
least() { vault POST transit/keys/shop/config "{\"min_decryption_version\": $1, \"min_encryption_version\": $1}" >/dev/null; }
revoke() { least $((${1#transit-v} + 1)); }
restore() { least "${1#transit-v}"; }
rotate() { echo 0 >"$folder/sign" && accept; }        # as who names no version: the latest signs at once
. ../lib.sh
