#!/bin/sh
# An OpenID provider of zitadel/oidc, and, as one more verifier of its tokens, oauth2-proxy.
cd "$(dirname "$0")" && port=7220
. ./issuer.sh
start() {
	provider
	run oauth2-proxy "$cache/peers/oauth2-proxy" --provider=oidc --oidc-issuer-url=$url --client-id=rehearse --client-secret=unused --cookie-secret=0123456789abcdef \
		--email-domain='*' --oidc-email-claim=sub --skip-jwt-bearer-tokens --http-address=127.0.0.1:$((port + 8)) --upstream=static://200 --redirect-url=$url/callback
	answers http://127.0.0.1:$((port + 8))/ping
}
. ../lib.sh
