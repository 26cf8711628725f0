package attached

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// byTokens reports whether the secret signs tokens: they then tell which credential is in use, and are
// presented.
func (s *System) byTokens() bool { return signsTokens(s.plan.Runbook.Scope.Family) }

func signsTokens(name string) bool {
	return slices.Contains(runbook.Traits[name].EmittedBy, "issuer")
}

// current is the identifier of the credential in use.
func (s *System) current(ctx context.Context) (string, error) {
	if s.byTokens() {
		t, err := s.tokens.get(ctx, "", DefaultTimeout)
		return t.identifier, err
	}
	return s.told(ctx, *s.attach.Current, "current", "")
}

// told is the result of an act: the last line that a command prints, or a text of an answer.
func (s *System) told(ctx context.Context, act scenario.Act, name, credential string) (string, error) {
	out, err := s.do(ctx, act, name, credential)
	if err != nil {
		return "", err
	}
	said := lastLine(out)
	if act.Identifier != "" {
		if said, err = at(out, act.Identifier); err != nil {
			return "", err
		}
	}
	if said == "" {
		return "", fmt.Errorf("%s told nothing", describe(act))
	}
	return said, nil
}

// learn keeps the value of a credential in memory, for probes. Some values can only be had while the
// credential is in use.
func (s *System) learn(ctx context.Context, credential string) (string, error) {
	s.mu.Lock()
	value, known := s.values[credential]
	inUse := s.emitting == credential
	s.mu.Unlock()
	if known {
		return value, nil
	}
	if !s.valueByName() && !inUse {
		return "", fmt.Errorf("get the value of %s: attach.value gives only the value of the one in use", credential)
	}
	value, err := s.told(ctx, *s.attach.Value, "value", credential)
	if err != nil {
		return "", fmt.Errorf("get the value of %s: %w", credential, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[credential] = value
	s.secrets = append(s.secrets, value)
	return value, nil
}

// valueByName reports whether attach.value gives the value of a credential that is not in use, too.
func (s *System) valueByName() bool {
	return slices.ContainsFunc(scenario.Mentions(s.attach.Value.Texts()...), func(m scenario.Mention) bool {
		return m.Name == "identifier" || m.Name == "credential"
	})
}

// session identifies a connection that a validator let in with a credential.
type session struct{ validator, credential string }

// holdSessions opens a session at each server, to be tested after the revoke.
func (s *System) holdSessions(ctx context.Context, credential string) {
	for name, p := range s.attach.Present {
		key := session{name, credential}
		s.mu.Lock()
		_, ok := s.sessions[key]
		s.mu.Unlock()
		if p.DSN == "" || ok {
			continue
		}
		value, err := s.learn(ctx, credential)
		if err != nil {
			continue // Present says so
		}
		done := s.shows(name, credential)
		if conn, _, err := s.logIn(ctx, name, credential, value); err == nil && conn != nil {
			s.mu.Lock()
			s.sessions[key] = conn
			s.mu.Unlock()
			s.seen.holds(name, s.role(name, credential))
		}
		done()
	}
}

// Close closes the sessions.
func (s *System) Close(ctx context.Context) {
	s.closeRotator()
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, conn := range s.sessions {
		conn.end(ctx)
		delete(s.sessions, key)
	}
}

// shows says that the harness presents a credential to a validator from now on until it is done, and to
// what that logs in to for it: a pooler makes connections of its own for a probe, which have no name.
func (s *System) shows(validator, credential string) (done func()) {
	identifier := s.Identifier(credential)
	s.seen.shows(validator, identifier, time.Now())
	behind := s.plan.Rehearsal.Services[validator].Of
	if behind == "" {
		return func() {}
	}
	return s.seen.showsBehind(shown{behind, identifier})
}

// show presents a credential by its value.
func (s *System) show(ctx context.Context, validator, credential string, purpose history.Purpose) (probe history.Probe, err error) {
	p, said := s.attach.Present[validator]
	if !said {
		return probe, fmt.Errorf("attach.present does not say how it is shown")
	}
	switch purpose {
	case history.MadeUp:
		if s.attach.Decisions[validator].Format == "" && p.DSN != "" { // under the name of the credential
			defer s.shows(validator, credential)()
		}
	case history.Control: // a log may name it, another, or none
		s.seen.shows(validator, noName, time.Now())
		fallthrough
	default:
		defer s.shows(validator, credential)()
	}
	value, err := s.learn(ctx, credential)
	switch {
	case purpose == history.MadeUp, purpose == history.Control && p.Signed:
		value, err = s.madeUp()
	case purpose == history.Control:
		value = family.OtherEnd(value)
	}
	if err != nil {
		return probe, err
	}
	if p.DSN != "" {
		probe, err = s.showLogin(ctx, validator, credential, value, purpose)
		if err == nil && !probe.Session {
			s.seen.answered(validator, s.Identifier(credential), probe.Outcome)
		}
		return probe, err
	}
	words := map[string]string{"identifier": s.Identifier(credential), "credential": credential, "value": value}
	header, method := http.Header{}, cmp.Or(p.Method, http.MethodGet)
	for name, text := range p.Headers {
		header.Set(name, s.fill(text, words))
	}
	body := s.fill(p.Body, words)
	if p.Signed {
		scheme, err := webhook.Of(s.plan.Runbook.Format.Type)
		if err != nil {
			return probe, err
		}
		id, now := "evt_rehearse_"+fmt.Sprint(time.Now().UnixNano()), time.Now()
		if body == "" {
			event, err := webhook.Event(id, webhook.TypeProbe, now, "")
			if err != nil {
				return probe, err
			}
			body = string(event)
		}
		method = cmp.Or(p.Method, http.MethodPost)
		header.Set("Content-Type", "application/json")
		scheme.Sign(header, webhook.Message{ID: id, At: now, Body: []byte(body)}, value)
	}
	at, replica := asked(s.endpoints[validator])
	probe, err = family.Request{
		Method: method, URL: at + s.fill(p.Path, words), Header: header, Body: body, Signs: family.Signs(s.plan, validator),
	}.Ask(ctx)
	switch {
	case purpose != history.Control:
		probe.Presentation = "request of a probe"
	case p.Signed:
		probe.Presentation = "delivery signed with a made-up secret"
	default:
		probe.Presentation = "value with one other character"
	}
	probe.Replica = cmp.Or(replica, probe.Replica)
	return probe, err
}

// ByName reports whether presenting to a validator is a login.
func (s *System) ByName(validator string) bool { return s.attach.Present[validator].DSN != "" }

// Doubts are a made-up value, and a token with a spoilt signature: the answers show whether a refusal
// differs from a good answer, and whether values are checked at all.
func (s *System) Doubts() []history.Purpose {
	return []history.Purpose{history.MadeUp}
}

// Spoils reports whether a validator can be shown a valid credential with its signature or value
// spoilt. A database cannot: it may lock an account for a wrong password.
func (s *System) Spoils(validator string) bool { return !s.ByName(validator) }

// madeUp is a value that nobody issued.
func (s *System) madeUp() (string, error) {
	if scheme, err := webhook.Of(s.plan.Runbook.Format.Type); err == nil {
		return scheme.NewSecret()
	}
	return "made-up-" + rand.Text(), nil
}

// showLogin logs in anew and, after the revoke, tests the session from before.
func (s *System) showLogin(ctx context.Context, validator, credential, value string, purpose history.Purpose) (history.Probe, error) {
	began := time.Now()
	conn, status, err := s.logIn(ctx, validator, credential, value)
	if err != nil {
		return history.Probe{}, err
	}
	probe := history.Probe{Outcome: history.OK, Status: status, Latency: history.Offset(time.Since(began)), Presentation: "new connection"}
	switch {
	case conn != nil:
		conn.end(ctx)
	case s.databaseOf(validator).refuses(status):
		probe.Outcome = history.AuthFailure
	default:
		probe.Outcome = history.Unavailable
	}
	if purpose == history.MadeUp {
		probe.Presentation = "new connection, with a password that nobody issued"
	}
	if purpose != history.OldAfter || probe.Outcome != history.AuthFailure {
		return probe, nil
	}
	key := session{validator, credential}
	s.mu.Lock()
	before := s.sessions[key]
	s.mu.Unlock()
	if before == nil {
		return probe, nil
	}
	asking, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	if err := before.served(asking); err == nil {
		probe.Outcome, probe.Session, probe.Status = history.OK, true, "a session made before"
		probe.Presentation = "session made before the revoke"
		return probe, nil
	}
	before.end(ctx)
	s.mu.Lock()
	delete(s.sessions, key)
	s.mu.Unlock()
	return probe, nil
}

// loginTimeout bounds one login.
const loginTimeout = 5 * time.Second

// logIn connects with the name and value of a credential. Where there is no connection, the status says
// why: the server's own word, or no answer. An error is the harness's own.
func (s *System) logIn(ctx context.Context, service, credential, value string) (connection, string, error) {
	at, filled := s.databaseOf(service), s.dsn(s.attach.Present[service].DSN, credential, value)
	user, err := at.user(filled)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	done := s.seen.probing(user)
	conn, status, err := at.open(ctx, filled)
	done(err == nil && conn == nil && at.refuses(status))
	if conn != nil {
		status = at.taken()
		s.wasLetIn(service, credential, time.Now())
	}
	return conn, status, err
}

// wasLetIn takes into account that a server has let the run itself in with a credential: its log is to tell of that. A login
// that MariaDB then says has failed is not the run's, which it knows by its session; a pooler logs in when it likes.
func (s *System) wasLetIn(service, credential string, now time.Time) {
	if s.attach.Decisions[service].Format == scenario.MariaDBDecisions {
		s.seen.wasShown(service, s.Identifier(credential), history.MessageAccepted, now)
	}
	if s.plan.Rehearsal.Services[service].Of == "" {
		s.seen.letIn(service, now)
	}
}

// dsn fills in a DSN; what is filled in is quoted for it (RFC 3986 §2.1).
func (s *System) dsn(text, credential, value string) string {
	return s.fill(text, map[string]string{
		"identifier": url.PathEscape(s.Identifier(credential)), "credential": url.PathEscape(credential), "value": quoteInURL(value),
	})
}

// quoteInURL escapes all that is not unreserved.
func quoteInURL(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// role is the name under which a credential logs in at a server.
func (s *System) role(validator, credential string) string {
	dsn := s.attach.Present[validator].DSN
	user, err := s.databaseOf(validator).user(s.dsn(dsn, credential, "x"))
	if err != nil {
		return ""
	}
	return user
}
