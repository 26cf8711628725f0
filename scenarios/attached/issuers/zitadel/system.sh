#!/bin/sh
# An OpenID provider of zitadel/oidc, and, as two more verifiers of its tokens, oauth2-proxy and panva/jose, which keeps
# its set for ten seconds here and fetches for an unknown key three seconds after its last fetch at the earliest.
cd "$(dirname "$0")" && port=7220
. ./issuer.sh
start() {
	provider
	run oauth2-proxy "$cache/peers/oauth2-proxy" --provider=oidc --oidc-issuer-url=$url --client-id=rehearse --client-secret=unused --cookie-secret=0123456789abcdef \
		--email-domain='*' --oidc-email-claim=sub --skip-jwt-bearer-tokens --http-address=127.0.0.1:$((port + 8)) --upstream=static://200 --redirect-url=$url/callback
	answers http://127.0.0.1:$((port + 8))/ping
	NODE_PATH=/usr/share/nodejs JWKS_URL=$(keys) ISSUER=$(issuer) AUDIENCE=rehearse JWKS_MAX_AGE=10000 JWKS_COOLDOWN=3000 PORT=$((port + 7)) \
		run jose node ../../../jwt-signing-key/library-matrix/jose/service.js
	answers http://127.0.0.1:$((port + 7))/healthz
}
. ../lib.sh
