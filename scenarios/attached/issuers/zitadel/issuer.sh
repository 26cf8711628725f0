# The OpenID provider of zitadel/oidc, whose keys its operator rotates by hand; `url` is
# where it is.
url=http://127.0.0.1:$port
keys() { echo $url/keys; }
issuer() { echo $url; }
version() { go version -m "$cache/peers/zitadel" | awk '$2 == "github.com/zitadel/oidc/v3" {print $3}'; }
provider() { run issuer "$cache/peers/zitadel" 127.0.0.1:$port && answers "$(keys)"; }
token() { curl -sf -u web:verysecret -d grant_type=client_credentials -d "scope=life-$1" $url/oauth/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/'; }
admin() { curl -sf -X POST "$url/admin/$1?kid=${2-}"; }
make() { admin make; }
accept() { admin publish "$1"; }
emit() { admin sign "$1"; }
revoke() { admin withdraw "$1"; }
rotate() { next=$(make) && accept "$next" && emit "$next"; } # what is published by hand can be published late
# meet: has the verifier at an address meet a key that nobody has made.
meet() {
	made_up=$(printf '{"alg":"ES256","kid":"made-up"}' | base64 -w0 | tr -d =).$(printf '{"iss":"%s","aud":"rehearse","exp":%d}' $url $(($(date +%s) + 60)) | base64 -w0 | tr '/+' '_-' | tr -d =)
	curl -s -o /dev/null -H "Authorization: Bearer $made_up.bWFkZS11cA" "$1"
}
revoke_and_meet() { revoke "$1" && meet "$2"; }
meet_and_accept() { meet "$2" && accept "$1"; }
