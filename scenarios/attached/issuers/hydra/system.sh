#!/bin/sh
# Ory Hydra, which signs its access tokens with the newest key of one set: to add a key
# is to sign with it. Its key set shows those of a second one, "next", too.
cd "$(dirname "$0")" && port=7260
url=http://127.0.0.1:$port admin=http://127.0.0.1:$((port + 6))/admin
keys() { echo $url/.well-known/jwks.json; }
issuer() { echo $url; }
version() { go version -m "$cache/peers/hydra" | awk '$2 == "github.com/ory/hydra/v2" {print $3}'; }
client() {
	curl -sf -o /dev/null $admin/clients -H 'Content-Type: application/json' -d "{\"client_id\": \"$1\", \"client_secret\": \"pw-hydra-pw\", \"grant_types\": [\"client_credentials\"],
		\"audience\": [\"rehearse\"], \"client_credentials_grant_access_token_lifespan\": \"$2\"}"
}
start() {
	cat >"$folder/hydra.yaml" <<-END
		dsn: memory
		log: {level: warn}
		secrets: {system: [not-a-secret-of-anybody]}
		strategies: {access_token: jwt}
		serve: {public: {host: 127.0.0.1, port: $port}, admin: {host: 127.0.0.1, port: $((port + 6))}}
		urls: {self: {issuer: $url}}
		webfinger: {jwks: {broadcast_keys: [hydra.jwt.access-token, next]}}
	END
	run issuer "$cache/peers/hydra" serve all --dev --sqa-opt-out -c "$folder/hydra.yaml"
	answers $url/health/ready
	new next >/dev/null # or it makes several, when the key set is asked for first
	client web 10s && client probe 10m
	token 10 >/dev/null # it makes its first key when it signs
}
token() {
	who=web && [ "$1" -le 10 ] || who=probe
	curl -sf -u $who:pw-hydra-pw -d grant_type=client_credentials -d audience=rehearse $url/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/'
}
# new SET prints the kid of a key that is made in it.
new() { curl -sf $admin/keys/"$1" -H 'Content-Type: application/json' -d "{\"alg\": \"RS256\", \"use\": \"sig\", \"kid\": \"$(cat /proc/sys/kernel/random/uuid)\"}" | sed 's/.*"kid":"\([^"]*\)".*/\1/'; }
# copy KID FROM TO: puts a key of one set into another; the newest of a set signs.
copy() { curl -sf $admin/keys/"$2"/"$1" | sed 's/^{"keys":\[\(.*\)\]}$/\1/' | curl -sf -o /dev/null -X PUT -H 'Content-Type: application/json' -d @- $admin/keys/"$3"/"$1"; }
remove() { curl -sf -X DELETE $admin/keys/"$2"/"$1"; }
main=hydra.jwt.access-token
make() { new next; }
emit() { copy "$1" next $main && remove "$1" next || copy "$1" $main $main; }
revoke() { copy "$1" $main kept && remove "$1" $main; }
restore() { copy "$1" kept next; }
withdraw() { for set in next $main; do remove "$1" $set || :; done; }
rotate() { new $main; }
. ../lib.sh
