#!/bin/sh
# A kube-apiserver as the issuer of ServiceAccount tokens: several keys to verify by, one
# that signs, all of them flags, so that each step is a restart. kubectl proxy stands
# before it, for it answers by TLS only.
cd "$(dirname "$0")" && port=7250
url=http://127.0.0.1:$port
keys() { echo $url/openid/v1/jwks; }
issuer() { echo https://kubernetes.default.svc; }
version() { "$bin/kubectl" version --kubeconfig "$folder/kubeconfig" 2>/dev/null | sed -n 's/Server Version: //p'; }
# key: makes one, and prints its kid, which is made of its public half.
key() {
	openssl genrsa -out "$folder/new.key" 2048 2>/dev/null && openssl rsa -in "$folder/new.key" -pubout -out "$folder/new.pub" 2>/dev/null
	kid=$(openssl pkey -pubin -in "$folder/new.pub" -outform DER | openssl dgst -sha256 -binary | base64 | tr '/+' '_-' | tr -d '=')
	mv "$folder/new.key" "$folder/$kid.key" && mv "$folder/new.pub" "$folder/$kid.pub" && echo "$kid"
}
# serve starts it, or anew, with the keys in the file verify, and that in the file sign.
serve() {
	if [ -e "$folder/issuer.pid" ]; then
		pid=$(cat "$folder/issuer.pid") && kill "$pid"
		while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	fi
	set -- --service-account-signing-key-file="$folder/$(cat "$folder/sign").key"
	while read -r kid; do set -- "$@" --service-account-key-file="$folder/$kid.pub"; done <"$folder/verify"
	run issuer "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:$((port + 6)) --bind-address=127.0.0.1 --secure-port=$((port + 8)) --cert-dir="$folder/pki" \
		--token-auth-file="$folder/tokens.csv" --authorization-mode=AlwaysAllow --service-account-issuer="$(issuer)" --service-cluster-ip-range=10.96.0.0/16 --shutdown-delay-duration=0s "$@"
	tail -n 1 "$folder/pids" >"$folder/issuer.pid"
	answers $url/readyz
}
start() {
	openssl version >/dev/null
	echo 'rehearsed,admin,1,"system:masters"' >"$folder/tokens.csv"
	cat >"$folder/kubeconfig" <<-END
		apiVersion: v1
		kind: Config
		clusters: [{name: k, cluster: {server: "https://127.0.0.1:$((port + 8))", insecure-skip-tls-verify: true}}]
		users: [{name: a, user: {token: rehearsed}}]
		contexts: [{name: k, context: {cluster: k, user: a}}]
		current-context: k
	END
	key >"$folder/sign" && cp "$folder/sign" "$folder/verify"
	run etcd "$bin/etcd" --name=etcd --data-dir="$folder/etcd" --unsafe-no-fsync --log-level=warn --listen-client-urls=http://127.0.0.1:$((port + 6)) --advertise-client-urls=http://127.0.0.1:$((port + 6)) \
		--listen-peer-urls=http://127.0.0.1:$((port + 7)) --initial-advertise-peer-urls=http://127.0.0.1:$((port + 7)) --initial-cluster=etcd=http://127.0.0.1:$((port + 7))
	run proxy "$bin/kubectl" proxy --kubeconfig "$folder/kubeconfig" --port=$port
	serve
	for _ in $(seq 50); do curl -sf -o /dev/null $url/api/v1/namespaces/default && break || sleep 0.2; done
	curl -sf -o /dev/null -H 'Content-Type: application/json' -d '{"metadata": {"name": "web"}}' $url/api/v1/namespaces/default/serviceaccounts
}
token() { # it gives none that lives less than ten minutes
	[ "$1" -ge 600 ] || set -- 600
	curl -sf -H 'Content-Type: application/json' -d "{\"spec\": {\"audiences\": [\"rehearse\"], \"expirationSeconds\": $1}}" $url/api/v1/namespaces/default/serviceaccounts/web/token |
		tr -d '\n' | sed 's/.*"token": *"\([^"]*\)".*/\1/'
}
make() { key; }
accept() { echo "$1" >>"$folder/verify" && serve; }
emit() { echo "$1" >"$folder/sign" && serve; }
revoke() { sed -i "/^$1\$/d" "$folder/verify" && serve; }
rotate() { kid=$(key) && echo "$kid" >>"$folder/verify" && emit "$kid"; } # as by one change of its flags
bin=$(realpath ../../../..)/.cache/kubernetes/bin
. ../lib.sh
