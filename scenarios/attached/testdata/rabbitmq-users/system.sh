#!/bin/sh
# A small system whose login to a broker is rotated where it runs: Debian's RabbitMQ, a node
# of its own on loopback, and a service that reads its login from a file.
#   system.sh up FOLDER · system.sh down FOLDER
set -eu
cd "$(dirname "$0")"
folder=$2 port=7780
export SHOP="$folder"
case "$1" in
up)
	server=/usr/lib/rabbitmq/bin/rabbitmq-server
	[ -x $server ] || { echo "it needs Debian's rabbitmq-server" >&2 && exit 1; }
	export HOME="$folder" ERL_CRASH_DUMP_SECONDS=0 ERL_EPMD_PORT=$((port + 1)) ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME=rehearse@localhost RABBITMQ_DIST_PORT=$((port + 2)) RABBITMQ_MNESIA_BASE="$folder/mnesia" \
		RABBITMQ_LOGS=- RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_ADVANCED_CONFIG_FILE="$folder/rabbitmq.config" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins"
	echo '[rabbitmq_management].' >"$folder/plugins"
	admin=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
	(umask 077 && echo "user = admin:$admin" >"$folder/admin" && cat >"$folder/rabbitmq.config") <<-EOF
		[{kernel, [{inet_dist_use_interface, {127,0,0,1}}]},
		 {rabbit, [{default_user, <<"admin">>}, {default_pass, <<"$admin">>}, {tcp_listeners, [{"127.0.0.1", $((port + 3))}]}]},
		 {rabbitmq_management, [{tcp_config, [{ip, "127.0.0.1"}, {port, $port}]}]}].
	EOF
	nohup epmd >"$folder/epmd.log" 2>&1 &
	echo $! >"$folder/pids"
	RUNNING_UNDER_SYSTEMD=1 nohup $server >"$folder/broker.log" 2>&1 & # it becomes the node; a log file of its own is written up to 2 s late
	echo $! >>"$folder/pids"
	for _ in $(seq 300); do curl -sf -o /dev/null http://127.0.0.1:$port/ && break || sleep 0.2; done
	observer=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
	(umask 077 && echo "export OBSERVER=$observer" >"$folder/env")
	curl -sf -o /dev/null -K "$folder/admin" -H 'Content-Type: application/json' -X PUT http://127.0.0.1:$port/api/users/observer -d "{\"password\": \"$observer\", \"tags\": \"monitoring\"}"
	./rotate.sh first
	PORT=$((port + 4)) BROKER=$((port + 3)) nohup /usr/bin/python3 shop.py >"$folder/shop.log" 2>&1 &
	echo $! >>"$folder/pids"
	for _ in $(seq 50); do curl -sf -o /dev/null http://127.0.0.1:$((port + 4))/healthz && break || sleep 0.2; done
	;;
down) xargs kill -9 <"$folder/pids" || true ;; # nothing of the node is kept, and its own end takes seconds
esac
