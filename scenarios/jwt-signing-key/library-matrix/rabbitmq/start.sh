#!/bin/sh
# Becomes a RabbitMQ whose OAuth2 plugin checks the tokens that its management API is shown.
# They have no scopes: their subject stands for one. (rabbitmq.conf takes a key set over
# https only, advanced.config any.)
set -e
cat >/run/rabbitmq.config <<EOF
[{rabbit, [{auth_backends, [rabbit_auth_backend_oauth2]}]},
 {rabbitmq_management, [{tcp_config, [{port, ${PORT:-8080}}]}, {enable_uaa, true}, {uaa_client_id, "$AUDIENCE"}, {uaa_location, "$ISSUER"}]},
 {rabbitmq_auth_backend_oauth2, [{resource_server_id, <<"$AUDIENCE">>}, {key_config, [{jwks_url, "$JWKS_URL"}]},
                                 {extra_scopes_source, <<"sub">>}, {scope_aliases, #{<<"matrix">> => <<"$AUDIENCE.tag:management">>}}]}].
EOF
echo '[rabbitmq_management,rabbitmq_auth_backend_oauth2].' >/run/enabled_plugins
export HOME=/run RABBITMQ_MNESIA_BASE=/run/mnesia RABBITMQ_LOGS=- RABBITMQ_ADVANCED_CONFIG_FILE=/run/rabbitmq.config RABBITMQ_ENABLED_PLUGINS_FILE=/run/enabled_plugins
exec /usr/lib/rabbitmq/bin/rabbitmq-server
