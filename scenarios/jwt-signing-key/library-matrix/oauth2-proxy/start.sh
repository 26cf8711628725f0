#!/bin/sh
# Becomes an oauth2-proxy that lets in whoever shows a token of the issuer, in front of nothing.
exec /oauth2-proxy --provider=oidc --skip-jwt-bearer-tokens --skip-oidc-discovery --oidc-issuer-url="$ISSUER" --oidc-jwks-url="$JWKS_URL" --login-url="$ISSUER/login" --redeem-url="$ISSUER/token" \
	--oidc-enabled-signing-alg=ES256 --oidc-enabled-signing-alg=RS256 --client-id="$AUDIENCE" --client-secret=unused --cookie-secret=0123456789abcdef --email-domain='*' --oidc-email-claim=sub \
	--http-address="0.0.0.0:${PORT:-8080}" --upstream=static://200 --redirect-url="$ISSUER/callback"
