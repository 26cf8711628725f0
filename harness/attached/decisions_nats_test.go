package attached

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// natsTold is a system at a NATS server, of whose users one holds a session of the harness, and what it tells.
func natsTold(t *testing.T) (*decisionReader, *[]string) {
	t.Helper()
	s := attachedShop("mq", "nats://{{ .identifier }}:{{ .value }}@127.0.0.1:1", scenario.NATSDecisions)
	s.seen = newDecisionReader(s)
	s.seen.holds("mq", "shop_a")
	told := new([]string)
	s.seen.record = func(history.Event) {}
	s.seen.tell = func(service string, line []byte) {
		var l history.Line
		if err := json.Unmarshal(line, &l); err != nil || service != "mq" {
			t.Errorf("%s told %s: %v", service, line, err)
		}
		what := map[string]string{history.MessageAccepted: "accepted", history.MessageRefused: "refused", history.MessageUndecided: "undecided"}[l.Message]
		if what == "" {
			what = l.Message
		}
		*told = append(*told, fmt.Sprintf("%s %s %s: %s", l.Presenter, l.Identifier, what, l.Status))
	}
	return s.seen, told
}

func TestNATSDecisions(t *testing.T) {
	now := time.Now()
	// conn is a connection of a user that began some time ago.
	conn := func(cid uint64, user, name string, ago time.Duration, messages int64) natsConn {
		return natsConn{CID: cid, User: user, Name: name, Start: now.Add(-ago), InMsgs: messages}
	}
	ended := func(c natsConn, reason string) natsConn {
		c.Stop, c.Reason = now, reason
		return c
	}
	open := func(all ...natsConn) natsLook { return natsLook{server: "x", open: all, at: now} }
	closed := func(all ...natsConn) natsLook { return natsLook{server: "x", closed: all, at: now} }
	const failed = "Authentication Failure"
	for _, tt := range []struct {
		name    string
		was, is natsLook
		gap     bool
		probing string // a user as whom a probe is refused
		want    []string
	}{
		{"one that was there", open(conn(1, "shop_a", "shop", time.Hour, 9)), open(conn(1, "shop_a", "shop", time.Hour, 9)), false, "", nil},
		{"one that is there at the first look", natsLook{}, open(conn(1, "shop_a", "shop", time.Hour, 0)), false, "", []string{"shop shop_a accepted: OK"}},
		{"one that did something", open(), open(conn(2, "shop_b", "shop", time.Millisecond, 1)), false, "", []string{"shop shop_b accepted: OK"}},
		{"one whose password may still be looked at", open(), open(conn(2, "shop_b", "shop", 100*time.Millisecond, 0)), false, "", nil},
		{"it was", open(conn(2, "shop_b", "shop", 100*time.Millisecond, 0)), open(conn(2, "shop_b", "shop", natsLogin, 0)), false, "", []string{"shop shop_b accepted: OK"}},
		{"it was refused", open(conn(2, "shop_b", "shop", 100*time.Millisecond, 0)), closed(ended(conn(2, "shop_b", "shop", 300*time.Millisecond, 0), failed)), false, "", []string{"shop shop_b refused: authorization violation"}},
		{"one that came and went", open(), closed(ended(conn(2, "shop_b", "shop", time.Millisecond, 0), "Client Closed")), false, "", []string{"shop shop_b accepted: OK"}},
		{"one that was told of went", open(conn(2, "shop_b", "shop", time.Hour, 0)), closed(ended(conn(2, "shop_b", "shop", time.Hour, 0), "Client Closed")), false, "", nil},
		{"refused, the older one first", open(), closed(ended(conn(3, "shop_b", "nightly", 0, 0), failed), ended(conn(2, "shop_a", "shop", 0, 0), failed)), false, "", []string{"shop shop_a refused: authorization violation", "nightly shop_b refused: authorization violation"}},
		{"a probe was refused, and somebody", open(), closed(ended(conn(3, "shop_a", "shop", 0, 0), failed), ended(conn(2, "shop_a", probeName, 0, 0), failed)), false, "shop_a", []string{"shop shop_a refused: authorization violation"}},
		{"a probe was let in", open(), open(conn(2, "shop_a", probeName, time.Hour, 1)), false, "", nil},
		{"somebody else's user", open(), closed(ended(conn(2, "reports", "reports", 0, 0), failed)), false, "", nil},
		{"a reload changed its password", open(conn(1, "shop_b", "shop", time.Hour, 9)), closed(ended(conn(1, "shop_b", "shop", time.Hour, 9), failed)), false, "", []string{"shop shop_b ended: authorization violation"}},
		{"one that came since was ended so", open(), closed(ended(conn(1, "shop_b", "shop", 10*time.Millisecond, 1), failed)), false, "", []string{"shop shop_b accepted: OK", "shop shop_b ended: authorization violation"}},
		{"a reload took its user away", open(conn(1, "shop_a", "shop", time.Hour, 9), conn(2, "shop_a", probeName, time.Hour, 0)), closed(ended(conn(1, "shop_a", "shop", time.Hour, 9), "Client Closed")), false, "", []string{"shop shop_a ended: ended"}},
		{"they went while nobody looked", open(conn(1, "shop_a", "shop", time.Hour, 9), conn(2, "shop_a", probeName, time.Hour, 0)), closed(ended(conn(1, "shop_a", "shop", time.Hour, 9), "Client Closed")), true, "", nil},
		{"of a user of whom none is held", open(conn(1, "shop_b", "shop", time.Hour, 9), conn(2, "shop_b", probeName, time.Hour, 0)), closed(ended(conn(1, "shop_b", "shop", time.Hour, 9), "Client Closed")), false, "", nil},
		{"no room", open(), closed(ended(conn(1, "shop_b", "shop", 0, 0), natsFull)), false, "", []string{"shop shop_b undecided: maximum account active connections exceeded"}},
		{"one that never said its password", open(), closed(ended(conn(1, "shop_b", "shop", 2*time.Second, 0), "Authentication Timeout")), false, "", nil},
		{"another server's numbers", open(conn(1, "shop_b", "shop", time.Hour, 9)), natsLook{server: "y", open: []natsConn{conn(1, "shop_b", "shop", time.Hour, 9)}, at: now}, false, "", []string{"shop shop_b accepted: OK"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, told := natsTold(t)
			if tt.probing != "" {
				d.probing(tt.probing)(true)
			}
			d.nats("mq", tt.was, tt.is, tt.gap)
			if !slices.Equal(*told, tt.want) {
				t.Errorf("got %q, want %q", *told, tt.want)
			}
		})
	}
}

// TestNATSLog: what users may not do is told once of a connection, by servers of today and of yesterday.
func TestNATSLog(t *testing.T) {
	d, told := natsTold(t)
	for _, line := range []string{
		`[1] 2026/12/01 07:50:55.025279 [ERR] 127.0.0.1:34370 - cid:5 - authentication error - User "shop_a"`,
		`[1] 2026/12/01 07:50:55.171004 [ERR] 127.0.0.1:34392 - cid:7 - "v1.55.0:go:shop" - "$G/user:shop_a" - Publish Violation - Subject "orders"`,
		`[1] 2026/12/01 07:50:55.474003 [ERR] 127.0.0.1:34392 - cid:7 - "v1.55.0:go:shop" - "$G/user:shop_a" - Publish Violation - Subject "orders"`,
		`[1] 2026/12/01 07:50:56.171004 [ERR] 127.0.0.1:34393 - cid:8 - "v1.33.0:go:shop" - Subscription Violation - User "shop_b", Subject "orders", SID 1`,
		`[1] 2026/12/01 07:50:57.171004 [ERR] 127.0.0.1:34394 - cid:9 - "v1.55.0:go" - "SHOP/user:reports" - Publish Violation - Subject "orders"`,
	} {
		d.line("mq", []byte(line))
	}
	if want := []string{"shop shop_a denied: permissions violation", "shop shop_b denied: permissions violation"}; !slices.Equal(*told, want) {
		t.Errorf("got %q, want %q", *told, want)
	}
}

// TestLookAtNATS asks for as many pages as there are connections that nobody has told of.
func TestLookAtNATS(t *testing.T) {
	asked := 0
	port := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		q := r.URL.Query()
		all := 3
		if q.Get("state") == "closed" {
			all = 2*natsPage + 10
		}
		offset, _ := strconv.Atoi(q.Get("offset"))
		limit, _ := strconv.Atoi(q.Get("limit"))
		page := []natsConn{}
		for n := offset; n < min(all, offset+limit); n++ {
			page = append(page, natsConn{CID: uint64(10_000 - n), User: q.Get("user")})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"server_id": "x", "now": time.Now().Add(time.Hour), "connections": page})
	}))
	defer port.Close()
	told := map[string]bool{}
	l, err := lookAtNATS(t.Context(), port.URL, []string{"shop a"}, told)
	if err != nil || len(l.open) != 3 || len(l.closed) != 2*natsPage+10 || l.open[0].User != "shop a" || l.ahead.Round(time.Minute) != time.Hour || asked != 4 {
		t.Errorf("got %d open and %d ended in %d requests, an hour ahead: %v, and %v", len(l.open), len(l.closed), asked, l.ahead, err)
	}
	for _, c := range l.closed[5:] {
		told["x"+c.client(l.at).id] = true
	}
	asked = 0
	if l, err = lookAtNATS(t.Context(), port.URL, []string{"shop a"}, told); err != nil || len(l.closed) != 5 || asked != 2 {
		t.Errorf("got %d that ended since, in %d requests, and %v", len(l.closed), asked, err)
	}
	port.Close()
	if _, err := lookAtNATS(t.Context(), "http://observer:secret@"+port.Listener.Addr().String(), []string{"shop"}, told); err == nil || slices.Contains([]string{err.Error()}, "secret") {
		t.Errorf("got %v of one that does not answer", err)
	}
}
