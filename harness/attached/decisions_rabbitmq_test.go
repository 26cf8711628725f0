package attached_test

import (
	"slices"
	"testing"
)

// TestRabbitMQLog: what a node (3.10) logs of connections, which it names in a line before that of the refusal.
func TestRabbitMQLog(t *testing.T) {
	t.Parallel()
	_, log, told := attachValues(t, "database-password", "{file: server.log, format: rabbitmq}")
	const at = "2026-12-01 03:39:04.757806+00:00 "
	for _, tt := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"a login", []string{
			at + "[info] <0.789.0> accepting AMQP connection <0.789.0> (127.0.0.1:32926 -> 127.0.0.1:9783)",
			at + "[info] <0.789.0> connection <0.789.0> (127.0.0.1:32926 -> 127.0.0.1:9783) has a client-provided name: orders-app/3.2",
			at + "[info] <0.790.0> connection <0.790.0> (127.0.0.1:32927 -> 127.0.0.1:9783 - other): user 'other' authenticated and granted access to vhost '/'",
			at + "[info] <0.789.0> connection <0.789.0> (127.0.0.1:32926 -> 127.0.0.1:9783 - orders-app/3.2): user 'one' authenticated and granted access to vhost '/'",
		}, []string{"db accepted by shop with one: OK", "shop emits one"}},
		{"an open connection may not do what it asked, told once", []string{
			at + "[error] <0.878.0> Channel error on connection <0.789.0> (127.0.0.1:32926 -> 127.0.0.1:9783, vhost: '/', user: 'one'), channel 1:",
			at + "[error] <0.878.0> operation basic.publish caused a channel exception access_refused: access to exchange 'amq.default' in vhost '/' refused for user 'one'",
			at + "[error] <0.879.0> Channel error on connection <0.789.0> (127.0.0.1:32926 -> 127.0.0.1:9783, vhost: '/', user: 'one'), channel 2:",
			at + "[error] <0.879.0> operation basic.publish caused a channel exception access_refused: access to exchange 'amq.default' in vhost '/' refused for user 'one'",
		}, []string{"db denied by shop with one: 403"}},
		{"it is ended", []string{
			at + "[error] <0.789.0> Error on AMQP connection <0.789.0> (127.0.0.1:32926 -> 127.0.0.1:9783 - orders-app/3.2, vhost: '/', user: 'one', state: running), channel 0:",
			at + `[error] <0.789.0>  operation none caused a connection exception connection_forced: "user 'one' is deleted"`,
			at + "[info] <0.789.0> closing AMQP connection <0.789.0> (127.0.0.1:32926 -> 127.0.0.1:9783 - orders-app/3.2, vhost: '/', user: 'one')",
		}, []string{"db ended by shop with one: 320"}},
		{"a refusal, whose presenter is named before", []string{
			at + "[info] <0.799.0> connection <0.799.0> (127.0.0.1:32942 -> 127.0.0.1:9783) has a client-provided name: nightly",
			at + "[error] <0.799.0> Error on AMQP connection <0.799.0> (127.0.0.1:32942 -> 127.0.0.1:9783, state: starting):",
			at + "[error] <0.799.0> PLAIN login refused: user 'one' - invalid credentials",
			at + "[info] <0.799.0> closing AMQP connection <0.799.0> (127.0.0.1:32942 -> 127.0.0.1:9783 - nightly)",
		}, []string{"db refused by nightly with one: 403", "nightly emits one"}},
		{"no right to the virtual host", []string{
			at + "[error] <0.812.0> Error on AMQP connection <0.812.0> (127.0.0.1:32964 -> 127.0.0.1:9783 - orders-app/3.2, user: 'two', state: opening):",
			at + "[error] <0.812.0> access to vhost '/' refused for user 'two'",
		}, []string{"db denied by shop with two: 530", "db undecided by shop with two: 530"}},
		{"no room", []string{
			at + "[error] <0.823.0> Error on AMQP connection <0.823.0> (127.0.0.1:32980 -> 127.0.0.1:9783 - orders-app/3.2, user: 'two', state: opening):",
			at + "[error] <0.823.0> connection refused for user 'two': user connection limit (0) is reached",
		}, []string{"db undecided by shop with two: 530 connection limit"}},
	} {
		log(tt.lines...)
		if got := told(len(tt.want)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
