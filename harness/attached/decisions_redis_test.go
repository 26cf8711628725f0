package attached

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

func TestRedisDecisions(t *testing.T) {
	const line = "id=7 addr=127.0.0.1:51000 laddr=127.0.0.1:6379 fd=8 name=shop age=0 idle=0 flags=N db=0 cmd=client|list user=shop_a redir=-1 resp=3\n"
	if c := clientOf(line); c != (client{id: "7", address: "127.0.0.1:51000", user: "shop_a", name: "shop"}) {
		t.Errorf("got %+v of %s", c, line)
	}
	replica := strings.NewReplacer(" flags=N ", " flags=S ", "name=shop", "name=").Replace(line)
	if c := clientOf(replica); c.name != aReplica {
		t.Errorf("a replica: got %+v", c)
	}
	for _, entry := range []any{[]any{"count", int64(2), "reason", "auth"}, map[any]any{"count": int64(2), "reason": "auth"}} {
		if of := fields(entry); of["count"] != int64(2) || of["reason"] != "auth" {
			t.Errorf("got %v of %v", of, entry)
		}
	}
	in := func(id, user, name, address string) client {
		return client{id: id, user: user, name: name, address: address}
	}
	waiting := redisLook{clients: []client{in("2", "shop_a", "", "")}}
	waiting.clients[0].waits = true
	for _, tt := range []struct {
		name     string
		was, is  redisLook
		probing  string // a user as whom a probe is refused
		decision []string
	}{
		{"nothing new", redisLook{clients: []client{in("1", "shop_a", "shop", "")}}, redisLook{clients: []client{in("1", "shop_a", "shop", "")}}, "", nil},
		{"a new connection", redisLook{}, redisLook{clients: []client{in("2", "shop_b", "shop", "")}}, "", []string{"shop shop_b accepted OK"}},
		{"one that logs in anew as another", redisLook{clients: []client{in("1", "shop_a", "shop", "")}}, redisLook{clients: []client{in("1", "shop_b", "shop", "")}}, "", []string{"shop shop_b accepted OK"}},
		{"one that has no name yet", redisLook{}, redisLook{clients: []client{in("2", "shop_a", "", "")}}, "", nil},
		{"one that has none at the next look", waiting, redisLook{clients: []client{in("2", "shop_a", "", "")}}, "", []string{"shop shop_a accepted OK"}},
		{"one that says it then", waiting, redisLook{clients: []client{in("2", "shop_a", "shop", "")}}, "", []string{"shop shop_a accepted OK"}},
		{"a probe that says it then", waiting, redisLook{clients: []client{in("2", "shop_a", probeName, "")}}, "", nil},
		{"one that is gone then", waiting, redisLook{}, "", nil},
		{"somebody else's user", redisLook{}, redisLook{clients: []client{in("2", "reports", "reports", "")}, refused: map[string]int64{"reports": 3}}, "", nil},
		{"a probe, by its name", redisLook{}, redisLook{clients: []client{in("2", "shop_a", probeName, "")}}, "", nil},
		{"a probe, by its address", redisLook{}, redisLook{clients: []client{in("2", "shop_a", "", "127.0.0.1:9")}}, "", nil},
		{"refused twice more", redisLook{refused: map[string]int64{"shop_a": 1}}, redisLook{refused: map[string]int64{"shop_a": 3}}, "", []string{"shop shop_a refused WRONGPASS", "shop shop_a refused WRONGPASS"}},
		{"one of them was a probe", redisLook{}, redisLook{refused: map[string]int64{"shop_a": 2}}, "shop_a", []string{"shop shop_a refused WRONGPASS"}},
		{"may not do what it asks", redisLook{denied: map[denial]denied{{"shop_b", "command", "get"}: {times: 1}}}, redisLook{denied: map[denial]denied{{"shop_b", "command", "get"}: {3, in("4", "shop_b", "shop", "")}}}, "", []string{"shop shop_b denied NOPERM"}},
		{"may not, and did not ask again", redisLook{denied: map[denial]denied{{"shop_b", "command", "get"}: {times: 3}}}, redisLook{denied: map[denial]denied{{"shop_b", "command", "get"}: {3, in("4", "shop_b", "shop", "")}}}, "", nil},
		{"a probe may not", redisLook{}, redisLook{denied: map[denial]denied{{"shop_b", "command", "ping"}: {1, in("4", "shop_b", "", "127.0.0.1:9")}}}, "", nil},
		{"its sessions were ended", redisLook{clients: []client{in("1", "shop_a", "shop", ""), in("2", "shop_a", "", "127.0.0.1:9"), in("3", "shop_b", "shop", "")}}, redisLook{clients: []client{in("3", "shop_b", "shop", "")}}, "", []string{"shop shop_a ended ended"}},
		{"it closed some itself", redisLook{clients: []client{in("1", "shop_a", "shop", ""), in("2", "shop_a", "", "127.0.0.1:9")}}, redisLook{clients: []client{in("2", "shop_a", "", "127.0.0.1:9")}}, "", nil},
		{"a probe went, and another stays", redisLook{clients: []client{in("1", "shop_a", "shop", ""), in("2", "shop_a", "", "127.0.0.1:9")}}, redisLook{clients: []client{in("1", "shop_a", "shop", "")}}, "", nil},
		{"they went while nobody looked", redisLook{gap: true, clients: []client{in("1", "shop_a", "shop", ""), in("2", "shop_a", "", "127.0.0.1:9")}}, redisLook{}, "", nil},
		{"of a user of whom none is held", redisLook{clients: []client{in("1", "shop_b", "shop", ""), in("2", "shop_b", "", "127.0.0.1:9")}}, redisLook{}, "", nil},
		{"the log was emptied", redisLook{refused: map[string]int64{"shop_a": 5}}, redisLook{refused: map[string]int64{"shop_a": 1}}, "", []string{"shop shop_a refused WRONGPASS"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := attachedShop("cache", "redis://{{ .identifier }}:{{ .value }}@127.0.0.1:1", scenario.RedisDecisions)
			s.seen = newDecisionReader(s)
			s.seen.owns("127.0.0.1:9")
			s.seen.holds("cache", "shop_a")
			var decisions []string
			s.seen.record = func(history.Event) {}
			s.seen.tell = func(service string, line []byte) {
				var l history.Line
				if err := json.Unmarshal(line, &l); err != nil || service != "cache" {
					t.Errorf("%s told %s: %v", service, line, err)
				}
				what := map[string]string{history.MessageAccepted: "accepted", history.MessageRefused: "refused", string(history.KindDenied): "denied", string(history.KindEnded): "ended"}[l.Message]
				decisions = append(decisions, fmt.Sprintf("%s %s %s %s", l.Presenter, l.Identifier, what, l.Status))
			}
			if tt.probing != "" {
				s.seen.probing(tt.probing)(true)
			}
			s.seen.redis("cache", tt.was, tt.is)
			if !slices.Equal(decisions, tt.decision) {
				t.Errorf("got %q, want %q", decisions, tt.decision)
			}
		})
	}
}
