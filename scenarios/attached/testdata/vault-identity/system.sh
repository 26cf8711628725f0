#!/bin/sh
# A real Vault as the issuer of tokens (identity/oidc), a broker that hands them on, and
# two services that check them: in Python with PyJWT, and in Node.js with what it has.
# None of it knows of rehearse.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2
vault=../../../../.cache/vault
export VAULT_ADDR=http://127.0.0.1:7210 HOME="$folder"
call() { curl -sf -o /dev/null -H "X-Vault-Token: rehearsed" -X "$1" "$VAULT_ADDR/v1/$2" -d "$3"; }
started() { echo $! >>"$folder/pids"; }
case "$1" in
up)
	: >"$folder/pids"
	nohup "$vault" server -dev -dev-no-store-token -dev-root-token-id=rehearsed -dev-listen-address=127.0.0.1:7210 >"$folder/vault.log" 2>&1 &
	started
	for _ in $(seq 100); do
		curl -sf -o /dev/null $VAULT_ADDR/v1/sys/health && break
		sleep 0.2
	done
	call POST identity/oidc/key/shop '{"algorithm": "ES256", "rotation_period": "24h", "verification_ttl": "1m", "allowed_client_ids": ["*"]}'
	call POST identity/oidc/role/shop '{"key": "shop", "ttl": "10s", "client_id": "orders"}'
	call POST sys/auth/userpass '{"type": "userpass"}'
	call PUT sys/policies/acl/tokens '{"policy": "path \"identity/oidc/token/*\" { capabilities = [\"read\"] }"}'
	call POST auth/userpass/users/web '{"password": "pw-web-pw-web", "policies": "tokens"}'
	PORT=7214 nohup /usr/bin/python3 broker.py >"$folder/broker.log" 2>&1 &
	started
	keys=$VAULT_ADDR/v1/identity/oidc/.well-known/keys
	JWKS_URI=$keys PORT=7212 nohup /usr/bin/python3 orders.py >"$folder/orders.log" 2>&1 &
	started
	JWKS_URI=$keys REFRESH=8 PORT=7213 nohup node catalog.js >"$folder/catalog.log" 2>&1 &
	started
	;;
down)
	while read -r pid; do kill "$pid" || true; done <"$folder/pids"
	while read -r pid; do while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done; done <"$folder/pids"
	;;
esac
