#!/bin/sh
# An OpenID provider of zitadel/oidc, whose keys its operator rotates by hand, and, as one
# more verifier of its tokens, oauth2-proxy.
cd "$(dirname "$0")" && port=7220
url=http://127.0.0.1:$port
keys() { echo $url/keys; }
issuer() { echo $url; }
version() { go version -m "$cache/peers/zitadel" | awk '$2 == "github.com/zitadel/oidc/v3" {print $3}'; }
start() {
	run issuer "$cache/peers/zitadel" 127.0.0.1:$port && answers "$(keys)"
	run oauth2-proxy "$cache/peers/oauth2-proxy" --provider=oidc --oidc-issuer-url=$url --client-id=rehearse --client-secret=unused --cookie-secret=0123456789abcdef \
		--email-domain='*' --oidc-email-claim=sub --skip-jwt-bearer-tokens --http-address=127.0.0.1:$((port + 8)) --upstream=static://200 --redirect-url=$url/callback
	answers http://127.0.0.1:$((port + 8))/ping
}
token() { curl -sf -u web:verysecret -d grant_type=client_credentials -d "scope=life-$1" $url/oauth/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/'; }
admin() { curl -sf -X POST "$url/admin/$1?kid=${2-}"; }
make() { admin make; }
accept() { admin publish "$1"; }
emit() { admin sign "$1"; }
revoke() { admin withdraw "$1"; }
# revoke_and_meet: withdraws a key, and has oauth2-proxy meet one that nobody has made.
revoke_and_meet() {
	revoke "$1"
	made_up=$(printf '{"alg":"ES256","kid":"made-up"}' | base64 -w0 | tr -d =).$(printf '{"iss":"%s","aud":"rehearse","exp":%d}' $url $(($(date +%s) + 60)) | base64 -w0 | tr '/+' '_-' | tr -d =)
	curl -s -o /dev/null -H "Authorization: Bearer $made_up.bWFkZS11cA" http://127.0.0.1:$((port + 8))/
}
rotate() { next=$(make) && accept "$next" && emit "$next"; } # what is published by hand can be published late
. ../lib.sh
