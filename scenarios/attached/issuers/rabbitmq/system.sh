#!/bin/sh
# Debian's RabbitMQ, a broker whose OAuth2 plugin checks the tokens of the provider of
# ../zitadel. They are shown to its management API, and have no scopes: their subject stands
# for one. (rabbitmq.conf takes a key set over https only, advanced.config any.)
cd "$(dirname "$0")" && port=7320
. ../zitadel/issuer.sh
api=http://127.0.0.1:$((port + 6))
server=/usr/lib/rabbitmq/bin/rabbitmq-server
start() {
	[ -x $server ] || { echo "rabbitmq needs Debian's rabbitmq-server" >&2 && return 1; }
	provider
	export HOME="$folder" ERL_CRASH_DUMP_SECONDS=0 ERL_EPMD_PORT=$((port + 7)) ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME=rehearse@localhost RABBITMQ_DIST_PORT=$((port + 8)) RABBITMQ_MNESIA_BASE="$folder/mnesia" \
		RABBITMQ_LOG_BASE="$folder" RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_ADVANCED_CONFIG_FILE="$folder/rabbitmq.config" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins"
	echo '[rabbitmq_management,rabbitmq_auth_backend_oauth2].' >"$folder/plugins"
	cat >"$folder/rabbitmq.config" <<-EOF
		[{kernel, [{inet_dist_use_interface, {127,0,0,1}}]},
		 {rabbit, [{auth_backends, [rabbit_auth_backend_oauth2]}, {tcp_listeners, [{"127.0.0.1", $((port + 9))}]}]},
		 {rabbitmq_management, [{tcp_config, [{ip, "127.0.0.1"}, {port, ${api##*:}}]}, {enable_uaa, true}, {uaa_client_id, "rehearse"}, {uaa_location, "$url"}]},
		 {rabbitmq_auth_backend_oauth2, [{resource_server_id, <<"rehearse">>}, {key_config, [{jwks_url, "$(keys)"}]},
		                                {extra_scopes_source, <<"sub">>}, {scope_aliases, #{<<"web">> => <<"rehearse.tag:management">>}}]}].
	EOF
	run epmd epmd
	RUNNING_UNDER_SYSTEMD=1 run rabbitmq $server # it becomes the node, whose end is its end
	answers $api/ || answers $api/ # a busy machine takes its time
}
. ../lib.sh
