#!/bin/sh
# Brings up the shop of system.yaml in a namespace, with kubectl of $KUBECTL.
#   system.sh up NAMESPACE volume|cached|env      its key set comes as a file, which it
#                                                 reads every 3 s, or every 5 min; or in the environment
#   system.sh down NAMESPACE
set -eu
cd "$(dirname "$0")"
kubectl=${KUBECTL:-kubectl}
case "$1" in
up)
	# orders-api opens whatever URL it is given: a file, or the set itself (RFC 2397).
	url='{name: AUTH_JWKS_URL, value: "file:///etc/keys/jwks.json"}'
	[ "$3" != env ] || url='{name: AUTH_JWKS_URL, valueFrom: {secretKeyRef: {name: session-keys, key: url}}}'
	ttl=3
	[ "$3" != cached ] || ttl=300 # its own default
	sed -e "s/NAMESPACE/$2/" -e "s/value: \"3\"/value: \"$ttl\"/" -e "s|JWKS_URL, {name: AUTH_ISSUER|$url, {name: AUTH_ISSUER|" system.yaml | $kubectl apply -f - >/dev/null
	$kubectl -n "$2" create configmap app --from-file=issuer.py --from-file=../../../harness/accuracy/cases/shop/orders-api.py >/dev/null
	$kubectl -n "$2" rollout status deployment/auth --timeout=90s >/dev/null
	keys=$($kubectl get --raw "/api/v1/namespaces/$2/pods/$($kubectl -n "$2" get pods -l app=auth -o jsonpath='{.items[0].metadata.name}'):8080/proxy/oauth/jwks")
	$kubectl -n "$2" create secret generic session-keys --from-literal="jwks.json=$keys" --from-literal="url=data:application/json,$keys" >/dev/null
	$kubectl -n "$2" rollout status deployment/orders-api --timeout=90s >/dev/null
	;;
down) $kubectl delete namespace "$2" --wait=true >/dev/null ;;
esac
