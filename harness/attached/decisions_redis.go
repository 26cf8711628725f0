package attached

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// A Redis server writes no line about who logs in. Its list of clients has those that
// are let in, each with its user and the name that it gave itself; its ACL LOG adds up
// those that are refused, by user:
//
//	CLIENT LIST ──► a new id under a user        was let in
//	ACL LOG     ──► a count that has grown       was refused
//
// A connection that comes and goes between two looks is not seen to be let in; one
// that is refused is counted all the same.
const redisRefused = "WRONGPASS"

// watchRedis polls a server until ctx ends, and records what it decided since the last look. It looks
// once before it returns, and fails where it cannot.
func (d *decisionReader) watchRedis(ctx context.Context, service string, told scenario.Decisions) (follow func(), err error) {
	client, err := redisClient(d.system.fillURL(told.Server), contract.DatabaseAdmin, true, d.owns)
	if err != nil {
		return nil, fmt.Errorf("look at who logs in at %s: attach.decisions: its server cannot be read when it is filled in", service)
	}
	is, err := lookAtRedis(ctx, client)
	if err != nil {
		_ = client.Close()
		return nil, fmt.Errorf("look at who logs in at %s by CLIENT LIST and ACL LOG: %w", service, err)
	}
	return func() {
		defer func() { _ = client.Close() }()
		d.redis(service, redisLook{refused: is.refused, denied: is.denied}, is) // clients already connected will not be seen to come
		look := func(ctx context.Context) (redisLook, error) { return lookAtRedis(ctx, client) }
		poll(ctx, d, service, readEvery, is, look, func(was, is redisLook, gap bool) {
			was.gap = gap
			d.redis(service, was, is)
		})
	}, nil
}

// poll looks at what a server knows of its clients until ctx ends, and passes on each two looks, and whether
// one between them failed.
func poll[L any](ctx context.Context, d *decisionReader, service string, every time.Duration, is L, look func(context.Context) (L, error), tell func(was, is L, gap bool)) {
	tick, failed, unseen := time.NewTicker(every), time.Time{}, false
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && failed.IsZero():
			failed = time.Now()
		case err != nil && !unseen && time.Since(failed) > unseenAfter*time.Second:
			unseen = true
			d.record(history.Event{Kind: history.KindUnseen, Service: service, Detail: err.Error()})
		}
		if err != nil {
			continue
		}
		if unseen {
			d.record(history.Event{Kind: history.KindUnseen, Service: service})
		}
		tell(is, now, !failed.IsZero())
		failed, unseen, is = time.Time{}, false, now
	}
}

// owns remembers the address of a connection of the harness's own.
func (d *decisionReader) owns(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.own[address] = true
}

// isOwn reports whether a client is the harness: by its address or, where something
// between changes that, by its name.
func (d *decisionReader) isOwn(c client) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.own[c.address] || strings.HasPrefix(c.name, probeName)
}

// client is one in the list of a server.
type client struct {
	id, address, user, name string
	waits                   bool // its name follows after the login
}

// redisLook is one look at a server.
type redisLook struct {
	clients []client
	refused map[string]int64 // by user
	denied  map[denial]denied
	gap     bool // a look failed after it
}

// denial is what a user may not do: a command, a key or a channel.
type denial struct{ user, reason, object string }

// denied is how often a denial was logged, and whose connection it was last.
type denied struct {
	times int64
	by    client
}

// lookAtRedis asks a server for its clients and its refusals.
func lookAtRedis(ctx context.Context, from *redis.Client) (l redisLook, err error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	var list *redis.Cmd
	var log *redis.Cmd
	_, err = from.Pipelined(ctx, func(p redis.Pipeliner) error {
		list, log = p.Do(ctx, "CLIENT", "LIST"), p.Do(ctx, "ACL", "LOG", "1024")
		return nil
	})
	if err != nil {
		return l, err
	}
	text, _ := list.Text()
	for line := range strings.Lines(text) {
		l.clients = append(l.clients, clientOf(line))
	}
	l.refused, l.denied = map[string]int64{}, map[denial]denied{}
	entries, _ := log.Slice()
	for _, entry := range entries {
		of := fields(entry)
		n, ok := of["count"].(int64)
		user, reason := fmt.Sprint(of["username"]), fmt.Sprint(of["reason"])
		switch {
		case !ok:
		case reason == "auth":
			l.refused[user] += n
		default:
			key := denial{user, reason, fmt.Sprint(of["object"])}
			was, seen := l.denied[key]
			if was.times += n; !seen { // the newest entry comes first
				was.by = clientOf(fmt.Sprint(of["client-info"]))
			}
			l.denied[key] = was
		}
	}
	return l, nil
}

// aReplica is the name of a replica that logs in (masterauth), which gives itself none.
const aReplica = "replica (masterauth)"

// clientOf is a line of CLIENT LIST: id=3 addr=… name=shop … flags=N … user=shop_a …; of a replica, which
// logs in as others do, the flags have an S.
func clientOf(line string) (c client) {
	replicates := false
	for _, field := range strings.Fields(line) {
		switch key, value, _ := strings.Cut(field, "="); key {
		case "id":
			c.id = value
		case "addr":
			c.address = value
		case "user":
			c.user = value
		case "name":
			c.name = value
		case "flags":
			replicates = strings.Contains(value, "S")
		}
	}
	if replicates {
		c.name = aReplica
	}
	return c
}

// fields are those of an entry of ACL LOG: a map, or as many words and values in turn.
func fields(entry any) map[string]any {
	of := map[string]any{}
	switch entry := entry.(type) {
	case map[any]any:
		for key, value := range entry {
			of[fmt.Sprint(key)] = value
		}
	case []any:
		for i := 0; i+1 < len(entry); i += 2 {
			of[fmt.Sprint(entry[i])] = entry[i+1]
		}
	}
	return of
}

// redis tells of what a server decided between two looks.
func (d *decisionReader) redis(service string, was, is redisLook) {
	before := map[string]client{}
	for _, c := range was.clients {
		before[c.id] = c
	}
	for i, c := range is.clients {
		was := before[c.id]
		if was.user == c.user && !was.waits || d.isOwn(c) {
			continue
		}
		// A client without a name may still give it: the next look decides. One that is gone by then
		// was not seen to be let in.
		if c.name == "" && !(was.user == c.user && was.waits) {
			is.clients[i].waits = true
			continue
		}
		if identifier := d.system.acceptedAs(service, c.user); identifier != "" {
			d.decided(service, service, c.name, identifier, redisServer{}.taken(), true, time.Now())
		}
	}
	d.redisDenied(service, was, is)
	if !was.gap {
		d.endedTogether(service, was.clients, is.clients, "CLIENT LIST")
	}
	for user, n := range is.refused {
		more := n - was.refused[user]
		if more < 0 { // the log was emptied, or its oldest fell out
			more = n
		}
		for range min(more, mostRefusals) {
			d.refused(service, user, "", redisRefused)
		}
	}
}

// redisDenied tells of what users may not do that were let in, once a look. One that a client gives up
// for it is mostly gone before it is seen among the clients.
func (d *decisionReader) redisDenied(service string, was, is redisLook) {
	for key, of := range is.denied {
		if of.times > was.denied[key].times && !d.isOwn(of.by) {
			text := fmt.Sprintf("it has no right to the %s %q", key.reason, key.object)
			d.told(service, string(history.KindDenied), login{service: service, role: key.user, presenter: of.by.name}, redisNoRight, text)
		}
	}
}

// endedTogether tells of the sessions of a user that the server ended, which it does not say itself: between two
// looks they all went, and with them one that the harness holds and would not close.
func (d *decisionReader) endedTogether(service string, was, is []client, list string) {
	still, held := map[string]bool{}, map[string]bool{}
	for _, c := range is {
		still[c.id] = true
	}
	for _, c := range was {
		held[c.user] = held[c.user] || d.isOwn(c) && d.isHeld(shown{service, c.user})
	}
	for _, c := range was {
		if still[c.id] {
			held[c.user] = false
		}
	}
	for _, c := range was {
		if held[c.user] && !d.isOwn(c) {
			d.told(service, string(history.KindEnded), login{service: service, role: c.user, presenter: c.name}, sessionGone, "it is gone from "+list+", with all of its user")
		}
	}
}

// sessionGone is the status of a session that was ended, as by CLIENT KILL or ACL DELUSER.
const sessionGone = "ended"

// redisNoRight is the word with which Redis denies a command.
const redisNoRight = "NOPERM"

// mostRefusals bounds how many refusals one look records.
const mostRefusals = 1000

// fillURL fills in an address; values from the environment are quoted.
func (s *System) fillURL(text string) string {
	return scenario.ReplaceMentions(text, func(m scenario.Mention) string {
		if m.Name == "env" {
			return quoteInURL(s.getenv(m.Part))
		}
		return cmp.Or(s.endpoints[m.Name].URL, "")
	})
}

// hostOf is the host of an address that may have a password in it.
func hostOf(text string) string {
	u, err := url.Parse(scenario.ReplaceMentions(text, func(scenario.Mention) string { return "x" }))
	if err != nil {
		return ""
	}
	return u.Host
}
