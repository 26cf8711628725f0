#!/bin/sh
# A SPIRE server that mints JWT-SVIDs, and its OIDC discovery provider, which shows the
# keys: prepared, active and old, by the server's own authority API.
cd "$(dirname "$0")" && port=${port:-7270}
url=http://127.0.0.1:$port
spire() { "$cache/peers/spire" "$@" -socketPath "$folder/spire.sock"; }
keys() { echo $url/keys; }
issuer() { echo $url; }
version() { go version -m "$cache/peers/spire" | awk '$2 == "github.com/spiffe/spire" {print $3}'; }
start() {
	cat >"$folder/server.conf" <<-END
		server {
		  bind_address = "127.0.0.1"
		  bind_port = "$((port + 6))"
		  socket_path = "$folder/spire.sock"
		  trust_domain = "example.test"
		  data_dir = "$folder"
		  log_level = "WARN"
		  ca_ttl = "${ca_ttl:-24h}"
		  jwt_issuer = "$url"
		  jwt_key_type = "ec-p256"
		}
		plugins {
		  DataStore "sql" { plugin_data { database_type = "sqlite3", connection_string = "$folder/spire.sqlite3" } }
		  KeyManager "memory" { plugin_data {} }
		  NodeAttestor "join_token" { plugin_data {} }
		}
	END
	cat >"$folder/provider.conf" <<-END
		log_level = "warn"
		domains = ["127.0.0.1"]
		allow_insecure_scheme = true
		insecure_addr = "127.0.0.1:$port"
		server_api { address = "unix://$folder/spire.sock" }
	END
	run server "$cache/peers/spire" run -config "$folder/server.conf"
	for _ in $(seq 100); do spire healthcheck >/dev/null 2>&1 && break || sleep 0.2; done
	run provider "$cache/peers/spire-oidc" -config "$folder/provider.conf"
	answers "$(keys)"
}
token() { spire jwt mint -spiffeID spiffe://example.test/web -audience rehearse -ttl "$1s" 2>/dev/null; }
id() { sed 's/.*"authority_id":"\([^"]*\)".*/\1/'; }
make() { spire localauthority jwt prepare -output json | id; }
emit() { spire localauthority jwt activate -authorityID "$1" >/dev/null; }
revoke() { spire localauthority jwt taint -authorityID "$1" >/dev/null && spire localauthority jwt revoke -authorityID "$1" >/dev/null; }
rotate() { emit "$(make)"; }
# turned: waits until it signs with another key than now.
turned() {
	signs=$(token 10 | cut -d. -f1)
	until [ "$(token 10 | cut -d. -f1)" != "$signs" ]; do sleep 0.5; done
}
. ../lib.sh
