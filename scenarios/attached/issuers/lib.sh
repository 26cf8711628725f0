# What the issuers of this folder share; each system.sh sources it. It has set `port`,
# the first of its ten, and says of itself, each a function: start, keys (the address of
# its key set), issuer (the iss of its tokens), token SECONDS [KID], and what is done
# for the steps of a rotation. None of what is started knows of a rehearsal.
#   system.sh up FOLDER · system.sh down FOLDER · system.sh FUNCTION ARGUMENT…
set -eu
name=$(basename "$PWD")
folder=/tmp/rehearse-attached/$name # as rehearse.sh has it
cache=$(realpath ../../../..)/.cache

# run NAME COMMAND…: starts one in the background, which ends with `down`.
run() {
	log=$folder/$1.log && shift
	nohup "$@" >>"$log" 2>&1 &
	echo $! >>"$folder/pids"
}

# answers URL: waits until it does.
answers() {
	for _ in $(seq 150); do
		! curl -sf -o /dev/null "$1" || return 0
		sleep 0.2
	done
	echo "$1 does not answer" >&2 && return 1
}

# verifiers starts those that check the issuer's tokens: jwx and keyfunc with the times of
# their defaults divided to ten seconds, PyJWT set to ten, and go-oidc, which has none.
verifiers() {
	at=$port
	for library in jwx:90 keyfunc:360 go-oidc:1; do
		at=$((at + 1))
		REHEARSE_LISTEN=127.0.0.1:$at REHEARSE_CONFIG="{\"name\": \"${library%:*}\", \"library\": \"${library%:*}\", \"jwks\": \"$(keys)\", \"issuer\": \"$(issuer)\", \"speed\": ${library#*:}}" \
			run "${library%:*}" "${REHEARSE:-../../../../bin/rehearse}" serve verifier
	done
	JWKS_URI=$(keys) ISSUER=$(issuer) PORT=$((port + 4)) run pyjwt /usr/bin/python3 ../pyjwt.py
	PORT=$((port + 5)) run broker /usr/bin/python3 ../broker.py
	for at in 1 2 3 5; do answers "http://127.0.0.1:$((port + at))/healthz"; done
}

# late FUNCTION ARGUMENT…: calls it just after jwx has fetched, the worst moment for it.
late() {
	seen=$(grep -c '"fetched"' "$folder/jwx.log")
	while [ "$(grep -c '"fetched"' "$folder/jwx.log")" = "$seen" ]; do sleep 0.1; done
	"$@"
}

case "$1" in
up) mkdir -p "$folder" && : >"$folder/pids" && start && verifiers ;;
down)
	while read -r pid; do kill "$pid" 2>/dev/null || true; done <"$folder/pids"
	for _ in $(seq 50); do # one that waits for another, which has ended, is ended too
		ended=yes
		while read -r pid; do ! kill -0 "$pid" 2>/dev/null || ended=no; done <"$folder/pids"
		[ $ended = no ] || break
		sleep 0.1
	done
	while read -r pid; do kill -9 "$pid" 2>/dev/null || true; done <"$folder/pids"
	;;
*) "$@" ;;
esac
