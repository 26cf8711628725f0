package attached

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// A NATS server logs who is refused, and nobody who is let in. Its monitoring port has both: the connections
// that are open, by user, and the last 10,000 that have ended, with the reason. Both are asked for each user
// that has a credential of the rotation:
//
//	/connz?state=open    ──► one that has been open for a while    was let in
//	/connz?state=closed  ──► "Authentication Failure"              was refused, or ended where it was let in before
//	                     ──► any other reason                      was let in
//
// What a user may not do is in the log only.
const (
	// natsEvery is the time between two looks: what ended between them is told all the same.
	natsEvery = 200 * time.Millisecond
	// natsLogin is for how long a login may be under way: the server names the user of a connection before it has
	// checked the password, which takes long where that is kept as bcrypt. Its auth_timeout is two seconds.
	natsLogin = time.Second
	// natsPage is how many connections are asked for at a time.
	natsPage = 256
	// natsPages bounds how many of those that ended are asked for in one look.
	natsPages = 40
)

// natsConn is a connection in an answer of a monitoring port (server.ConnInfo).
type natsConn struct {
	CID     uint64 `json:"cid"`
	Start   time.Time
	Stop    time.Time
	Reason  string
	Name    string
	InMsgs  int64  `json:"in_msgs"`
	OutMsgs int64  `json:"out_msgs"`
	Subs    int    `json:"subscriptions"`
	User    string `json:"authorized_user"`
}

// letIn reports whether a connection was let in, as far as that shows before it ends: it has done something, or
// is there for longer than a login takes.
func (c natsConn) letIn(at time.Time) bool {
	return c.InMsgs+c.OutMsgs > 0 || c.Subs > 0 || at.Sub(c.Start) >= natsLogin
}

// client is a connection as it is told of; it waits until it is known to have been let in.
func (c natsConn) client(at time.Time) client {
	return client{id: strconv.FormatUint(c.CID, 10), user: c.User, name: c.Name, waits: !c.letIn(at)}
}

// Reasons of connections that have ended (server.ClosedState), besides those that only one that was let in can have.
var (
	natsRefusals = []string{"Authentication Failure", "Credentials Revoked", "Authentication Expired"}
	natsUnasked  = []string{"Authentication Timeout", "TLS Handshake Failure", "Bad Client Protocol Version", "Missing Account", "Parse Error", "Protocol Violation"}
)

// natsFull is the reason of one for which an account has no room.
const natsFull = "Maximum Account Connections Exceeded"

// natsLook is one look at a server.
type natsLook struct {
	server       string // its process, by whose end all connections end
	open, closed []natsConn
	at           time.Time     // by its clock
	ahead        time.Duration // of ours
}

// clients are the connections that are open.
func (l natsLook) clients() (all []client) {
	for _, c := range l.open {
		all = append(all, c.client(l.at))
	}
	return all
}

// watchNATS is watchRedis of a NATS server.
func (d *decisionReader) watchNATS(ctx context.Context, service string, at scenario.Decisions) (follow func(), err error) {
	server := strings.TrimSuffix(d.system.fillURL(at.Server), "/")
	told := map[string]bool{}
	look := func(ctx context.Context) (natsLook, error) {
		l, err := lookAtNATS(ctx, server, d.system.roles(service), told)
		if err == nil {
			for _, c := range l.closed {
				told[l.server+c.client(l.at).id] = true
			}
		}
		return l, err
	}
	is, err := look(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at who logs in at %s: %w", service, err)
	}
	return func() {
		is.closed = nil // it had ended before
		d.nats(service, natsLook{}, is, false)
		poll(ctx, d, service, natsEvery, is, look, func(was, is natsLook, gap bool) { d.nats(service, was, is, gap) })
	}, nil
}

// lookAtNATS asks a monitoring port for the connections of users: those that are open, and those that have ended
// since those that were told of.
func lookAtNATS(ctx context.Context, server string, users []string, told map[string]bool) (l natsLook, err error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	for _, user := range users {
		for _, state := range []string{"open", "closed&sort=stop"} {
			for page := range natsPages {
				asked := time.Now()
				var answer struct {
					Server string     `json:"server_id"`
					Now    time.Time  `json:"now"`
					Conns  []natsConn `json:"connections"`
				}
				query := fmt.Sprintf("/connz?auth=1&state=%s&limit=%d&offset=%d&user=%s", state, natsPage, page*natsPage, url.QueryEscape(user))
				if err := askNATS(ctx, server, query, &answer); err != nil {
					return l, err
				}
				l.server, l.at = answer.Server, answer.Now
				l.ahead = answer.Now.Sub(asked.Add(time.Since(asked) / 2))
				more := len(answer.Conns) == natsPage
				for _, c := range answer.Conns {
					switch {
					case state == "open":
						l.open = append(l.open, c)
					case told[answer.Server+c.client(l.at).id]:
						more = false
					default:
						l.closed = append(l.closed, c)
					}
				}
				if !more {
					break
				}
			}
		}
	}
	return l, nil
}

// askNATS asks a monitoring port.
func askNATS(ctx context.Context, server, query string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+query, nil)
	if err != nil {
		return errors.New("its address cannot be read when it is filled in") // err may quote it
	}
	said, err := caller.Do(request)
	if err != nil {
		return fmt.Errorf("%s does not answer", request.URL.Host)
	}
	defer func() { _ = said.Body.Close() }()
	if said.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s to GET /connz", request.URL.Host, said.Status)
	}
	if err := json.NewDecoder(io.LimitReader(said.Body, mostAnswered)).Decode(answer); err != nil {
		return fmt.Errorf("read the connections of %s: %w", request.URL.Host, err)
	}
	return nil
}

// nats tells of what a server decided between two looks.
func (d *decisionReader) nats(service string, was, is natsLook, gap bool) {
	if was.server != is.server { // it numbers its connections anew
		was.open = nil
	}
	in := map[string]bool{} // who is known to have been let in
	var before []client
	for _, c := range was.clients() {
		in[c.id] = !c.waits
		if !c.waits {
			before = append(before, c)
		}
	}
	accepted := func(c natsConn) {
		if identifier := d.system.acceptedAs(service, c.User); identifier != "" && !strings.HasPrefix(c.Name, probeName) {
			at := c.Start.Add(-is.ahead)
			if was.server == "" { // it is in use, since before anybody looked
				at = time.Now()
			}
			d.decided(service, service, c.Name, identifier, natsServer{}.taken(), true, at)
		}
	}
	for _, c := range slices.Backward(is.closed) { // the newest came first
		of := c.client(c.Stop)
		switch {
		case slices.Contains(natsUnasked, c.Reason):
		case c.Reason == natsFull && !strings.HasPrefix(c.Name, probeName):
			d.told(service, history.MessageUndecided, login{service: service, role: c.User, presenter: c.Name}, natsNoRoom, c.Reason)
		case !slices.Contains(natsRefusals, c.Reason):
			if !in[of.id] {
				accepted(c)
			}
		case in[of.id] || !of.waits:
			if !in[of.id] {
				accepted(c)
			}
			before = slices.DeleteFunc(before, func(b client) bool { return b.id == of.id })
			d.told(service, string(history.KindEnded), login{service: service, role: c.User, presenter: c.Name}, natsRefused, c.Reason)
		case strings.HasPrefix(c.Name, probeName):
			d.refused(service, c.User, c.Name, natsRefused)
		default:
			if identifier := d.system.refusedAs(service, c.User); identifier != "" {
				d.decided(service, service, c.Name, identifier, natsRefused, false, c.Stop.Add(-is.ahead))
			}
		}
	}
	for _, c := range is.open {
		if of := c.client(is.at); !of.waits && !in[of.id] {
			accepted(c)
		}
	}
	if !gap {
		d.endedTogether(service, before, is.clients(), "connz")
	}
}

// natsDenied finds what a server logs of a user who may not do what it asks. Whose connection it is stands before
// (2.12), or the user behind (2.10):
//
//	127.0.0.1:34392 - cid:7 - "v1.55.0:go:shop" - "$G/user:shop_a" - Publish Violation - Subject "orders"
//	127.0.0.1:34392 - cid:7 - "v1.33.0:go:shop" - Subscription Violation - User "shop_a", Subject "orders", SID 1
var natsDenied = regexp.MustCompile(`- (cid:\d+) - (?:"v[^":]*:[^":]*(?::([^"]*))?" - )?(?:"[^"/]*/(?:user:)?([^"]*)" - )?((?:Publish|Subscription) Violation - (?:User "([^"]*)", )?.*)`)

// natsNoRight is the status of one that may not.
const natsNoRight = "permissions violation"

// natsLog takes a line of a server, which says of each connection once what it may not do.
func (d *decisionReader) natsLog(service, raw string) {
	m := natsDenied.FindStringSubmatch(raw)
	if m == nil {
		return
	}
	l := login{service: service, presenter: m[2], role: m[3] + m[5]}
	key := service + " " + m[1]
	d.mu.Lock()
	before := d.sessions[key]
	d.sessions[key] = &l
	d.mu.Unlock()
	if before == nil {
		d.told(service, string(history.KindDenied), l, natsNoRight, m[4])
	}
}
