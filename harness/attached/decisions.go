package attached

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// readEvery is how often a log is looked at for more lines.
	readEvery = 50 * time.Millisecond
	// settles is how long a login that a server has authorised may still turn out
	// to be refused: PostgreSQL says so of a role that may not log in afterwards.
	settles = 150 * time.Millisecond
)

// seen turns what a team's logs tell into decisions. It is safe for concurrent use.
type seen struct {
	system *System
	tell   func(service string, line []byte) // a line in the form of history.Line
	record func(history.Event)

	mu       sync.Mutex
	pending  []login           // authorised, and not let in yet
	probes   map[string]int    // refusals of probes that the log will tell of, by role
	own      map[string]bool   // addresses of connections of the harness
	emitting map[string]string // the identifier that each presenter was last seen with
}

// login is one that a server has authorised.
type login struct {
	service, role, presenter string
	status                   string
	session                  string // of the server's, where it may be the harness's own
	at                       time.Time
}

func newSeen(s *System) *seen {
	return &seen{system: s, probes: map[string]int{}, emitting: map[string]string{}, own: map[string]bool{}}
}

// probing says that a probe is about to log in under a role; done says what came of it.
func (d *seen) probing(role string) (done func(refused bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.probes[role]++
	return func(refused bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !refused && d.probes[role] > 0 {
			d.probes[role]--
		}
	}
}

// Decide reads the logs that tell of decisions until ctx ends: files from where
// they end now on. It returns how the lines of a container are handed to it, and
// what does the reading.
func (s *System) Decide(ctx context.Context, tell func(service string, line []byte), record func(history.Event)) (line func(service string, raw []byte), follow []func(), err error) {
	d := s.seen
	d.mu.Lock()
	d.tell, d.record = tell, record
	d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.attach.Decisions)) {
		told := s.attach.Decisions[name]
		if told.Format == scenario.RedisDecisions {
			watch, err := d.watchRedis(ctx, name, told)
			if err != nil {
				return nil, nil, err
			}
			follow = append(follow, watch)
			continue
		}
		if told.File == "" {
			continue
		}
		path := told.File
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.dir, path)
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read the log of %s: %w", name, err)
		}
		if _, err := file.Seek(0, io.SeekEnd); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("read the log of %s: %w", name, err), file.Close())
		}
		follow = append(follow, func() { tail(ctx, path, file, func(raw []byte) { d.line(name, raw) }) })
	}
	follow = append(follow, func() {
		tick := time.NewTicker(readEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case now := <-tick.C:
				d.settle(now)
			}
		}
		d.settle(time.Now().Add(settles))
	})
	return d.line, follow, nil
}

// tail hands on the lines that a file gets, also where another takes its place.
func tail(ctx context.Context, path string, file *os.File, line func([]byte)) {
	defer func() { _ = file.Close() }()
	reader, rest := bufio.NewReader(file), []byte(nil)
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for {
		part, err := reader.ReadBytes('\n')
		rest = append(rest, part...)
		if err == nil {
			line(slices.Clone(rest[:len(rest)-1]))
			rest = rest[:0]
			continue
		}
		if another := replaced(path, file); another != nil {
			_ = file.Close()
			file, rest = another, nil
			reader.Reset(file)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// replaced is the file that took the place of another, or the same from its
// beginning where it was cut; nil: it goes on.
func replaced(path string, file *os.File) *os.File {
	is, errIs := os.Stat(path)
	was, errWas := file.Stat()
	at, errAt := file.Seek(0, io.SeekCurrent)
	if errIs != nil || errWas != nil || errAt != nil || os.SameFile(is, was) && is.Size() >= at {
		return nil
	}
	another, err := os.Open(path)
	if err != nil {
		return nil
	}
	return another
}

// line takes one line of a log.
func (d *seen) line(service string, raw []byte) {
	told, there := d.system.attach.Decisions[service]
	switch {
	case !there:
	case told.Format == "postgresql":
		d.postgres(service, string(raw))
	case told.Format == scenario.MariaDBDecisions:
		d.mariaDB(service, string(raw))
	default:
		d.matched(service, told, raw)
	}
}

// What a PostgreSQL server logs with log_connections = on, whatever stands before
// it (19.8.3): the role that is let in, and the two refusals of one.
var (
	pgAuthorised = regexp.MustCompile(`connection authorized: user=(\S+)(?:.*? application_name=(\S+))?`)
	pgPassword   = regexp.MustCompile(`FATAL:\s+password authentication failed for user "([^"]+)"`)
	pgNoLogin    = regexp.MustCompile(`FATAL:\s+role "([^"]+)" (?:is not permitted to log in|does not exist)`)
)

// postgres takes a line of a server. Lines of roles that no credential has are
// somebody else's.
func (d *seen) postgres(service, raw string) {
	if m := pgAuthorised.FindStringSubmatch(raw); m != nil {
		d.mu.Lock()
		d.pending = append(d.pending, login{service: service, role: m[1], presenter: m[2], status: postgresServer{}.taken(), at: time.Now()})
		d.mu.Unlock()
		return
	}
	status, presenter := "28P01", ""
	m := pgPassword.FindStringSubmatch(raw)
	if m == nil {
		if m, status = pgNoLogin.FindStringSubmatch(raw), "28000"; m == nil {
			return
		}
		presenter = d.withdraw(service, m[1])
	}
	d.refused(service, m[1], presenter, status)
}

// refused takes a refusal of somebody under a role; one of a probe is not told of.
func (d *seen) refused(service, role, presenter, status string) {
	d.mu.Lock()
	own := d.probes[role] > 0
	if own {
		d.probes[role]--
	}
	d.mu.Unlock()
	if identifier := d.system.refusedAs(service, role); identifier != "" && !own {
		d.decided(service, service, presenter, identifier, status, false, time.Now())
	}
}

// withdraw takes back the last login under a role that was authorised only, and
// says whose it was.
func (d *seen) withdraw(service, role string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, l := range slices.Backward(d.pending) {
		if l.service == service && l.role == role {
			d.pending = slices.Delete(d.pending, i, i+1)
			return l.presenter
		}
	}
	return ""
}

// settle tells of the logins that were not refused in time.
func (d *seen) settle(now time.Time) {
	d.mu.Lock()
	var in []login
	for len(d.pending) > 0 && now.Sub(d.pending[0].at) >= settles {
		own, unsure := d.isOwnSession(d.pending[0], now)
		if unsure {
			break
		}
		if !own {
			in = append(in, d.pending[0])
		}
		d.pending = d.pending[1:]
	}
	d.mu.Unlock()
	for _, l := range in {
		if identifier := d.system.acceptedAs(l.service, l.role); identifier != "" {
			d.decided(l.service, l.service, l.presenter, identifier, l.status, true, l.at)
		}
	}
}

// matched takes a line that a regular expression may match.
func (d *seen) matched(service string, told scenario.Decisions, raw []byte) {
	for _, way := range []struct {
		text     string
		accepted bool
	}{{told.Accepted, true}, {told.Refused, false}} {
		pattern, err := regexp.Compile(way.text)
		if err != nil {
			continue // it was reported when the scenario was loaded
		}
		found := pattern.FindSubmatch(raw)
		if found == nil {
			continue
		}
		group := func(name string) string {
			if i := pattern.SubexpIndex(name); i >= 0 {
				return string(found[i])
			}
			return ""
		}
		status := group("status")
		if status == "" && way.accepted {
			status = "ok"
		} else if status == "" {
			status = "refused"
		}
		d.decided(service, d.system.validatorOf(service, group("validator")), d.system.presenterOf(service, group("presenter")), group("identifier"), status, way.accepted, time.Now())
		return
	}
}

// decided tells of one decision and, where a presenter is seen with another
// credential than before, of that.
func (d *seen) decided(_, validator, presenter, identifier, status string, accepted bool, at time.Time) {
	presenter = d.system.known(presenter)
	message := history.MessageAccepted
	if !accepted {
		message = history.MessageRefused
	}
	line, err := json.Marshal(history.Line{
		Time: at, Level: "INFO", Message: message, Service: validator, Identifier: identifier, Presenter: presenter, Status: status, Attempt: 1,
	})
	d.mu.Lock()
	tell, record := d.tell, d.record
	switched := d.emitting[presenter] != identifier && !strings.HasPrefix(presenter, probeName)
	if switched {
		d.emitting[presenter] = identifier
	}
	d.mu.Unlock()
	if err != nil || tell == nil {
		return
	}
	tell(validator, line)
	if switched {
		record(history.Event{Kind: history.KindEmitting, Service: presenter, Identifier: identifier})
	}
}
