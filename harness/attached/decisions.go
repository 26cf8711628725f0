package attached

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

const (
	// readEvery is how often a log is looked at for more lines.
	readEvery = 50 * time.Millisecond
	// settles is how long after its authorisation a login may still be refused: PostgreSQL authorises a
	// role that may not log in before it refuses it.
	settles = 150 * time.Millisecond
)

// decisionReader turns what a team's logs tell into decisions. It is safe for concurrent use.
type decisionReader struct {
	system *System
	tell   func(service string, line []byte) // a line in the form of history.Line
	record func(history.Event)

	mu         sync.Mutex
	pending    []login                   // authorised, and not let in yet
	probes     map[string]int            // refusals of probes that the log will show, by role
	own        map[string]bool           // addresses of connections of the harness
	emitting   map[string]string         // the identifier that each presenter was last seen with
	named      map[string]bool           // who was seen under a name of its own
	byNoName   map[string]bool           // what presenters were seen with, by presenter and identifier, without one
	users      map[shown]map[string]bool // who was let in with what by whom
	sessions   map[string]*login         // by server and its process, the last that was let in
	read       map[string]*reading       // by service, of those whose log is read
	left       []departure               // sessions that are gone, until it is known whether their server ended them
	shown      map[shown][]showing       // when the harness presented what to whom, for logs that will show it without a name
	behind     map[shown]*presentation   // what others present to whom for the harness
	began      time.Time                 // when the logs were opened; what is dated before was decided before
	late       time.Duration             // by how much a line came after its own time, at the most
	unbelieved map[string]time.Time      // when it was last told of a log that its times are not believed
	held       map[shown]bool            // under which roles the harness holds a session, or held one until it was ended
}

// shown identifies what the harness presents to a validator.
type shown struct{ validator, identifier string }

// showing is one presentation by the harness, and what came of it; an empty outcome: it is under way.
type showing struct {
	at      time.Time
	outcome history.Outcome
}

// explains reports whether a line with a message may be of the presentation.
func (s showing) explains(message string) bool {
	switch s.outcome {
	case history.OK:
		return message != history.MessageRefused
	case history.AuthFailure:
		return message != history.MessageAccepted
	}
	return true
}

// isTold is how long after a presentation its log line may come.
const isTold = 3 * time.Second

// login is one that a server has authorised.
type login struct {
	service, role, presenter string
	status                   string
	session                  string // of the server's, where it may be the harness's own
	process                  string // of the server's, where its lines say it
	forProbe                 bool   // a pooler logged in with it for a probe of the harness
	denied                   bool   // the server denied it what it asked
	idle                     bool   // it said no name, and was not in use when its credential was about to be revoked
	at                       time.Time
}

func newDecisionReader(s *System) *decisionReader {
	read := map[string]*reading{}
	if s != nil && s.attach != nil {
		read = readings(s.attach.Decisions)
	}
	return &decisionReader{
		read:   read,
		system: s, probes: map[string]int{}, emitting: map[string]string{}, own: map[string]bool{},
		named: map[string]bool{}, byNoName: map[string]bool{}, users: map[shown]map[string]bool{}, sessions: map[string]*login{},
		shown: map[shown][]showing{}, behind: map[shown]*presentation{}, held: map[shown]bool{}, unbelieved: map[string]time.Time{},
	}
}

// shows announces that the harness presents a credential to a validator now.
func (d *decisionReader) shows(validator, identifier string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := shown{validator, identifier}
	d.shown[key] = append(slices.DeleteFunc(d.shown[key], func(s showing) bool { return now.Sub(s.at) > latestLine }), showing{at: now})
}

// answered says what came of the harness's last presentation of a credential to a validator: a line with another answer is
// then somebody else's.
func (d *decisionReader) answered(validator, identifier string, outcome history.Outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if all := d.shown[shown{validator, identifier}]; len(all) > 0 {
		all[len(all)-1].outcome = outcome
	}
}

// holds says that the harness holds a session under a role, which only the server ends.
func (d *decisionReader) holds(service, role string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[shown{service, role}] = true
}

// isHeld reports whether holds said so.
func (d *decisionReader) isHeld(of shown) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held[of]
}

// presentation is what somebody presents for the harness: how many of its probes are under way, and until
// when a log may still tell of those that are done.
type presentation struct {
	n     int
	until time.Time
}

// isToldBehind is how long after a probe is done a log may still tell of what another did for it: it was written before,
// and is looked at every readEvery. What comes later is somebody else's.
const isToldBehind = 500 * time.Millisecond

// showsBehind says that a probe has another present something, until it is done. A pooler may log in often meanwhile, as
// where it is refused and tries again, and not at all where it has a connection.
func (d *decisionReader) showsBehind(key shown) (done func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.behind[key]
	if p == nil {
		p = &presentation{}
		d.behind[key] = p
	}
	p.n++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		p.n--
		p.until = time.Now().Add(isToldBehind)
	}
}

// isShownBehind reports whether a login without a name may be for a probe.
func (d *decisionReader) isShownBehind(key shown, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.behind[key]
	return p != nil && (p.n > 0 || now.Before(p.until))
}

// noName identifies a made-up credential.
const noName = ""

// wasShown reports whether a log line of a moment, without a presenter, is of a presentation by the harness; each
// presentation explains one line.
func (d *decisionReader) wasShown(validator, identifier, message string, at time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := shown{validator, identifier}
	i := slices.IndexFunc(d.shown[key], func(s showing) bool {
		return s.explains(message) && at.Sub(s.at) <= isTold && s.at.Sub(at) <= aheadOfUs
	})
	if i < 0 {
		return false
	}
	d.shown[key] = slices.Delete(d.shown[key], i, i+1)
	return true
}

// probing announces that a probe logs in under a role; done reports the result.
func (d *decisionReader) probing(role string) (done func(refused bool)) {
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

// Decide reads the logs of decisions until ctx ends, files from their present end on. It returns the
// function that takes the lines of a container, and the one that reads.
func (s *System) Decide(ctx context.Context, tell func(service string, line []byte), record func(history.Event)) (line func(service string, raw []byte), follow []func(), err error) {
	d := s.seen
	d.mu.Lock()
	d.tell, d.record, d.began = tell, record, time.Now()
	d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.attach.Decisions)) {
		told := s.attach.Decisions[name]
		watches := map[string]func(context.Context, string, scenario.Decisions) (func(), error){scenario.RedisDecisions: d.watchRedis, scenario.NATSDecisions: d.watchNATS}
		if watch := watches[told.Format]; watch != nil {
			looks, err := watch(ctx, name, told)
			if err != nil {
				return nil, nil, err
			}
			follow = append(follow, looks)
		}
		if list := s.listsOf(name); list != nil {
			if _, err := list(ctx, ""); err != nil {
				return nil, nil, fmt.Errorf("look at who is logged in at %s: %w", name, err)
			}
		}
		if told.File == "" {
			continue
		}
		path := told.File
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.dir, path)
		}
		file, err := source.Open(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read the log of %s: %w", name, err)
		}
		if _, err := file.Seek(0, io.SeekEnd); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("read the log of %s: %w", name, err), file.Close())
		}
		follow = append(follow, func() { tail(ctx, path, file, d.lateness, func(raw []byte) { d.line(name, raw) }) })
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

// line takes one line of a log.
func (d *decisionReader) line(service string, raw []byte) {
	told, ok := d.system.attach.Decisions[service]
	d.reads(service, raw)
	switch {
	case !ok:
	case told.Format == "postgresql":
		d.postgres(service, string(raw))
	case told.Format == scenario.MariaDBDecisions:
		d.mariaDB(service, string(raw))
	case told.Format == scenario.RabbitMQDecisions:
		d.rabbitMQ(service, string(raw))
	case told.Format == scenario.NATSDecisions:
		d.natsLog(service, string(raw))
	default:
		d.matched(service, told, raw)
	}
}

// refused takes the refusal of a login under a role; that of a probe is not recorded.
func (d *decisionReader) refused(service, role, presenter, status string) {
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

// settle records the logins that were not refused in time.
func (d *decisionReader) settle(now time.Time) {
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
	for _, e := range d.unread(now, false) {
		d.record(e)
	}
	for _, l := range d.endedSessions(now) {
		d.told(l.service, string(history.KindEnded), l, sessionGone, "it is closed in the audit log, with all of its user")
	}
}

// matched takes a line of a log with regular expressions. A line that matches none and names a
// credential of this rotation is kept: it may explain a missing answer. One with the form of an
// expression and another status is such an answer.
func (d *decisionReader) matched(service string, told scenario.Decisions, raw []byte) {
	if d.matches(service, told.Accepted, raw, history.MessageAccepted) || d.matches(service, told.Refused, raw, history.MessageRefused) || !d.system.names(raw) {
		return
	}
	if !d.matches(service, anyError(told.Accepted), raw, history.MessageUndecided) {
		d.matches(service, anyError(told.Refused), raw, history.MessageUndecided)
	}
	d.mu.Lock()
	tell := d.tell
	d.mu.Unlock()
	if tell != nil {
		tell(service, raw)
	}
}

// anyError is an expression whose group status takes any error of HTTP (RFC 9110 §15.5, §15.6);
// "" where it has none.
func anyError(expression string) string {
	const group = "(?P<status>"
	from, open, class := strings.Index(expression, group), 0, false
	for i := max(0, from); i < len(expression) && from >= 0; i++ {
		switch c := expression[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			open++
		case c == ')':
			if open--; open == 0 {
				return expression[:from] + group + `[45]\d\d` + expression[i:]
			}
		}
	}
	return ""
}

// matches records a decision where a line matches an expression.
func (d *decisionReader) matches(service, expression string, raw []byte, message string) bool {
	pattern, err := regexp.Compile(expression)
	if err != nil || expression == "" { // it was reported when the scenario was loaded
		return false
	}
	found := pattern.FindSubmatch(raw)
	if found == nil {
		return false
	}
	group := func(name string) string {
		if i := pattern.SubexpIndex(name); i >= 0 {
			return string(found[i])
		}
		return ""
	}
	status, presenter := group("status"), group("presenter")
	if presenter == "-" { // as an access log says that there was none
		presenter = ""
	}
	if status == "" && message == history.MessageAccepted {
		status = "ok"
	} else if status == "" {
		status = "refused"
	}
	d.understands(service, group("identifier") == "" || d.system.gave(group("identifier")))
	at, before := d.dated(service, group("time"), time.Now())
	if id := group("identifier"); before || presenter == "" && (d.wasShown(service, id, message, at) || !d.system.gave(id) && d.wasShown(service, noName, message, at)) {
		return true
	}
	d.tells(message, d.system.validatorOf(service, group("validator")), d.system.presenterOf(service, presenter), group("identifier"), status, at)
	return true
}

// dated is when a line was written by its own time; where that is not believed, it is when it was read, and that is told
// of the log. before: it was written before the logs were opened.
func (d *decisionReader) dated(service, text string, read time.Time) (at time.Time, before bool) {
	at, err := dated(text, read)
	d.mu.Lock()
	d.late = max(d.late, read.Sub(at))
	record, began := d.record, d.began
	tells := err != nil && record != nil && read.Sub(d.unbelieved[service]) > tellAgain
	if tells {
		d.unbelieved[service] = read
	}
	d.mu.Unlock()
	if tells {
		record(history.Event{Kind: history.KindUnseen, Service: service, Detail: fmt.Sprintf("the time of a line in its log is not believed: %v", err)})
	}
	return at, at.Before(began)
}

// lateness is by how much a line came after its own time so far.
func (d *decisionReader) lateness() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.late
}

// tellAgain is how often it is told that the times of a log are not believed: in every phase.
const tellAgain = 5 * time.Second

// decided tells of one decision.
func (d *decisionReader) decided(_, validator, presenter, identifier, status string, accepted bool, at time.Time) {
	message := history.MessageAccepted
	if !accepted {
		message = history.MessageRefused
	}
	d.tells(message, validator, presenter, identifier, status, at)
}

// tells records a decision and, where the presenter is seen with another credential than before, that
// too.
func (d *decisionReader) tells(message, validator, presenter, identifier, status string, at time.Time) {
	accepted := message == history.MessageAccepted
	what, unsaid := "", presenter == ""
	if unsaid && accepted { // a server may not name a refused client
		what = history.ByNoName
	}
	d.mu.Lock()
	presenter = d.who(shown{validator, identifier}, presenter, accepted)
	d.mu.Unlock()
	ours := d.system.gave(identifier)
	switch onPage := d.system.isService(presenter); {
	case ours:
	case accepted && !onPage && identifier != "":
		return // somebody else's, in a log that all callers share
	case !accepted && onPage:
		identifier = "" // it is no credential of this rotation
	}
	line, err := json.Marshal(history.Line{
		Time: at, Level: "INFO", Message: message, Service: validator, Identifier: identifier, Presenter: presenter, Status: status, Attempt: 1,
	})
	d.mu.Lock()
	tell, record := d.tell, d.record
	// A credential never taken was not rotated to. A name that is given once is known from then on.
	named := d.byNoName[presenter+" "+identifier] && !unsaid
	if d.emitting[presenter] != identifier || named {
		d.byNoName[presenter+" "+identifier] = what != ""
	}
	switched := (d.emitting[presenter] != identifier || named) && !strings.HasPrefix(presenter, probeName) && (accepted || ours)
	if switched {
		d.emitting[presenter] = identifier
	}
	d.mu.Unlock()
	if err != nil || tell == nil {
		return
	}
	tell(validator, line)
	if switched {
		record(history.Event{At: -history.Offset(max(0, time.Since(at))), Kind: history.KindEmitting, Service: presenter, Identifier: identifier, What: what})
	}
}

// who is the presenter behind a name in a log. Without a name it is the only presenter, unless that one
// gives its name: then it is somebody else. A refusal may come without a name; then it is the party
// that was let in with the same credential by the same validator before, or the only one that this validator
// let in at all: one that logs in to another database is nobody here. d.mu is held.
func (d *decisionReader) who(what shown, name string, accepted bool) string {
	presenter := d.system.known(name)
	if d.users[what] == nil {
		d.users[what] = map[string]bool{}
	}
	users := d.users[what]
	if name == "" && !accepted && len(users) == 0 {
		for of, more := range d.users {
			if of.validator == what.validator {
				users = joined(users, more)
			}
		}
		if len(users) > 1 {
			return presenter
		}
	}
	switch {
	case strings.HasPrefix(name, probeName):
	case name != "":
		d.named[presenter], users[presenter] = true, true
	case accepted:
		if d.named[presenter] {
			presenter = history.Somebody
		}
		users[presenter] = true
	case len(users) == 1:
		for presenter = range users {
		}
	case len(users) > 1:
		still := slices.DeleteFunc(slices.Collect(maps.Keys(users)), func(user string) bool { return d.emitting[user] != what.identifier })
		if presenter = history.Somebody; len(still) == 1 {
			presenter = still[0]
		}
	}
	return presenter
}

// joined is the members of both sets.
func joined(a, b map[string]bool) map[string]bool {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
