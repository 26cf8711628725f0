#!/bin/sh
# A real Vault as the issuer of identity tokens (identity/oidc). It publishes the next key
# beside the one in use, so that there is nothing to do to have it accepted.
cd "$(dirname "$0")" && port=7240
export VAULT_ADDR=http://127.0.0.1:$((port + 6))
api=$VAULT_ADDR/v1/identity/oidc
call() { curl -sf -H "X-Vault-Token: ${3-rehearsed}" ${2:+-X POST -d "$2"} "$VAULT_ADDR/v1/$1"; }
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
keys() { echo $api/.well-known/keys; }
issuer() { echo $api; }
version() { "$cache/vault" version | sed 's/Vault \(v[0-9.]*\).*/\1/'; }
start() {
	HOME="$folder" run issuer "$cache/vault" server -dev -dev-no-store-token -dev-root-token-id=rehearsed -dev-listen-address="${VAULT_ADDR#http://}"
	answers $VAULT_ADDR/v1/sys/health
	call identity/oidc/key/shop '{"algorithm": "ES256", "rotation_period": "24h", "verification_ttl": "1m", "allowed_client_ids": ["*"]}'
	call identity/oidc/role/shop '{"key": "shop", "ttl": "10s", "client_id": "rehearse"}'
	call sys/auth/userpass '{"type": "userpass"}'
	call sys/policies/acl/tokens '{"policy": "path \"identity/oidc/token/*\" { capabilities = [\"read\"] }"}'
	call auth/userpass/users/web '{"password": "pw-web-pw-web", "policies": "tokens"}'
	call auth/userpass/login/web '{"password": "pw-web-pw-web"}' | field client_token >"$folder/login"
}
token() { call identity/oidc/token/shop "" "$(cat "$folder/login")" | field token; }
make() { # the one key of our kind in the set that no token is signed with
	signs=$(token | cut -d. -f1 | tr _- /+ | base64 -d 2>/dev/null | field kid)
	curl -sf "$(keys)" | tr '{' '\n' | grep '"alg":"ES256"' | field kid | grep -v "^$signs\$"
}
emit() { call identity/oidc/key/shop/rotate "{\"verification_ttl\": \"${1:-15s}\"}" >/dev/null; }
rotate() { call identity/oidc/key/shop/rotate '{}' >/dev/null; }
emit_twice() { emit && sleep 1 && emit; }
. ../lib.sh
