package attached_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// rotating is a system of the team's whose rotator is as the scenario says, with the
// first credential known and its key set watched, and what was told of a key set with
// the new one so far.
func rotating(t *testing.T, team *team, rotator string) (*attached.System, func() []history.Event) {
	t.Helper()
	text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: page.yaml\nattach:\n" +
		strings.ReplaceAll("  urls: {auth: URL, search: URL}\n"+byName+"  rotator: "+rotator+"\n", "URL", `"`+team.server.URL+`"`) +
		"load: [{client: web, to: search, rate: 1/s, request: {path: /check}, token: {}}]\n"
	loaded, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(page)}, "s.yaml": {Data: []byte(text)}}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.Times.Propagation = 0
	s, err := attached.New(p, []world.Endpoint{{Service: "auth", URL: team.server.URL}, {Service: "search", URL: team.server.URL}}, attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan history.Event, 100)
	watch, err := s.Watch(t.Context(), func(e history.Event) { events <- e })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Make(t.Context(), "k1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	looking, end := context.WithCancel(t.Context())
	var task sync.WaitGroup
	task.Go(func() { watch.Run(looking) })
	t.Cleanup(func() {
		end()
		task.Wait()
		s.Close(t.Context())
	})
	return s, func() (told []history.Event) {
		for len(events) > 0 {
			if e := <-events; e.Kind == history.KindPublished && slices.Contains(e.Credentials, "fresh") {
				told = append(told, e)
			}
		}
		return told
	}
}

// TestRotatorPrintsNoIdentifier: where the command that is to print the identifier of the new credential, or of the one
// in use, prints its value, that is said in words that do not quote it.
func TestRotatorPrintsNoIdentifier(t *testing.T) {
	t.Parallel()
	const value = "hunter2"
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	for name, tt := range map[string]struct {
		current, fresh string
		says           string
	}{
		"identifiers":          {"one", "two", ""},
		"new prints a value":   {"one", value + "two", "it printed a value where the identifier is wanted"},
		"new prints the old":   {"one", value + "one", "it printed a value where the identifier is wanted"},
		"then current does so": {"one", "two; echo " + value + "two >current", "attach.current: it printed a value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := strings.NewReplacer("jwt-signing-key", "api-key", "jwks, jwks: /jwks", "file", "canary, logs", "availability", "{type: ES256, identifier: kid, longest_life: 10m}", "{type: bearer, identifier: tag}",
				"  - {name: auth, roles: [emit], refresh: 1s}\n  - {name: search, roles: [validate], library: jwx}\n", "  - {name: shop, roles: [emit], refresh: 1s}\n").Replace(page)
			sh := func(script string) string { return `{command: [sh, -c, "` + script + `", sh` }
			text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: page.yaml\nattach:\n  urls: {db: \"" + server.URL + "\", shop: \"" + server.URL + "\"}\n" +
				"  current: " + sh("cat current") + "]}\n  value: " + sh("case $1 in "+value+"*) echo $1;; *) echo "+value+"$1;; esac") + `, "{{ .identifier }}"]}` + "\n" +
				"  present: {db: {path: /, headers: {X-Key: \"{{ .value }}\"}}}\n  decisions: {db: {file: log, accepted: 'ok (?P<identifier>\\S+)', refused: 'no (?P<identifier>\\S+)'}}\n" +
				"  rotator: {command: [sleep, '60'], new: " + sh("echo "+tt.fresh) + "]}, may_end: true}\n" +
				"services: {db: {}, shop: {agent: orders-app}}\nload: [{client: web, to: shop, rate: 1/s}]\n"
			loaded, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(page)}, "s.yaml": {Data: []byte(text)}}, "s.yaml")
			if err != nil {
				t.Fatal(err)
			}
			p, err := plan.Build(loaded, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for name, text := range map[string]string{"current": tt.current + "\n", "log": ""} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s, err := attached.New(p, []world.Endpoint{{Service: "db", URL: server.URL}, {Service: "shop", URL: server.URL}}, attached.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Make(t.Context(), "k1"); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Decide(t.Context(), func(string, []byte) {}, func(history.Event) {}); err != nil {
				t.Fatal(err)
			}
			if err = s.Start(t.Context()); err == nil {
				defer s.Close(t.Context())
				is := eventually(t, s, "a look that says so", func(p world.Progress) bool { return tt.says == "" && p.Identifier != "" || p.Blind != nil })
				if err = is.Blind; strings.Contains(is.Identifier+is.Is, value) {
					t.Errorf("the value is told: %q, %q", is.Identifier, is.Is)
				}
			}
			switch {
			case tt.says == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), value)):
				t.Errorf("got %v, want an error that says %q, without the value", err, tt.says)
			}
		})
	}
}

// eventually waits until a rotator's progress is so.
func eventually(t *testing.T, s *attached.System, what string, is func(world.Progress) bool) world.Progress {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		switch p := s.Progress(); {
		case is(p):
			return p
		case time.Now().After(end):
			t.Fatalf("%s was not seen: %+v", what, p)
		}
	}
}

// change changes the team's system, as its rotator does.
func (s *team) change(emit string, published ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emit, s.published = emit, published
}

func TestRotatorIsSeen(t *testing.T) {
	t.Parallel()
	team := newTeam(t)
	s, events := rotating(t, team, `{http: {url: "{{ .auth.url }}/rotate"}, stop: {http: {url: "{{ .auth.url }}/stop"}}, back: {http: {url: "{{ .auth.url }}/back"}}}`)
	took := func(step keyring.Step) func(world.Progress) bool {
		return func(p world.Progress) bool { _, seen := p.Taken[step]; return seen }
	}
	team.change("old", "old", "fresh")
	p := eventually(t, s, "the accept", took(keyring.Accept))
	if at := p.Taken[keyring.Accept]; p.Identifier != "fresh" || len(p.Taken) != 1 || at.Seen.Sub(at.NotYet) > 5*time.Second || p.Over {
		t.Errorf("after the accept: %+v", p)
	}
	if told := events(); len(told) > 0 {
		t.Errorf("it was told before the run has a name for what is new: %+v", told)
	}
	if identifier, err := s.Make(t.Context(), "k2"); identifier != "fresh" || err != nil {
		t.Errorf("made %q, %v", identifier, err)
	}
	if err := s.Do(t.Context(), keyring.Accept, "k2"); err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(20 * time.Second); len(events()) == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what is published now was not told")
		}
	}
	team.change("fresh", "old", "fresh")
	eventually(t, s, "the emit", took(keyring.Emit))
	team.change("fresh", "fresh")
	p = eventually(t, s, "the revoke", func(p world.Progress) bool { return took(keyring.Revoke)(p) && p.Over })
	if p.Err != nil || p.Is != "auth publishes k2 and signs with k2" {
		t.Errorf("at the end: %+v", p)
	}
	if err := s.Do(t.Context(), keyring.Restore, "k1"); err == nil || !strings.Contains(err.Error(), "POST {{ .auth.url }}/back says that it was done, and auth publishes k2 and signs with k2") {
		t.Errorf("a way back that does nothing: %v", err)
	}
	team.change("old", "old")
	for _, step := range []keyring.Intent{{Step: keyring.Restore, Credential: "k1"}, {Step: keyring.Emit, Credential: "k1"}, {Step: keyring.Withdraw, Credential: "k2"}} {
		if err := s.Do(t.Context(), step.Step, step.Credential); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(team.asked, ","); got != "POST /rotate token= ,POST /back token= " {
		t.Errorf("the team was asked %q, want the start and one way back", got)
	}
}

func TestRotatorThatSignsWithAnother(t *testing.T) {
	t.Parallel()
	team := newTeam(t)
	s, _ := rotating(t, team, `{http: {url: "{{ .auth.url }}/rotate"}}`)
	team.change("old", "old", "fresh", "third")
	eventually(t, s, "the accept", func(p world.Progress) bool { return p.Identifier == "fresh" })
	team.change("third", "old", "fresh", "third")
	p := eventually(t, s, "another", func(p world.Progress) bool { return p.Odd != nil })
	if !strings.Contains(p.Odd.Error(), "auth signs with third, and the new key that was seen first is fresh: say attach.rotator.new") {
		t.Error(p.Odd)
	}
	if stop, back := s.Lets(); stop || back || s.Halt(t.Context()) == nil {
		t.Error("nobody may stop it")
	}
}

// TestRotatorThatTakesLong keeps a token of the old credential anew for as long as that is
// in use: the first may have run out by then.
func TestRotatorThatTakesLong(t *testing.T) {
	t.Parallel()
	team := newTeam(t)
	team.fixed = true
	s, _ := rotating(t, team, `{http: {url: "{{ .auth.url }}/rotate"}}`)
	kept := func() int {
		team.mu.Lock()
		defer team.mu.Unlock()
		return team.kept
	}
	first := kept()
	eventually(t, s, "another token of the old one that is kept", func(world.Progress) bool { return kept() > first })
	team.change("fresh", "old", "fresh")
	eventually(t, s, "the emit", func(p world.Progress) bool { _, seen := p.Taken[keyring.Emit]; return seen })
	if probe, err := s.Present(t.Context(), "search", "k1", history.OldAfter); err != nil || probe.Outcome != history.OK {
		t.Errorf("the old one was shown: %+v, %v", probe, err)
	}
}

func TestRotatorThatPublishedAhead(t *testing.T) {
	t.Parallel()
	team := newTeam(t)
	team.change("old", "old", "fresh")
	s, _ := rotating(t, team, `{http: {url: "{{ .auth.url }}/rotate"}}`)
	team.change("fresh", "old", "fresh")
	p := eventually(t, s, "the emit", func(p world.Progress) bool { return p.Identifier == "fresh" })
	if len(p.Taken) != 2 || p.Odd != nil {
		t.Errorf("got %+v, want accept and emit", p)
	}
}

func TestRotatorThatEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, rotator, err string }{
		{"well", `{command: ["true"]}`, ""},
		{"badly", `{command: ["false"]}`, "run command false: exit status 1 (all that it printed is in the log of the steps)"},
		{"not in time", `{command: [sleep, "60"], timeout: 300ms}`, "command sleep 60 took longer than 300ms, and was ended with all that it had started"},
		{"called, and not done in time", `{http: {url: "{{ .auth.url }}/rotate"}, timeout: 300ms}`, "POST {{ .auth.url }}/rotate has not had it done within 300ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, _ := rotating(t, newTeam(t), tt.rotator)
			p := eventually(t, s, "its end", func(p world.Progress) bool { return p.Over })
			if got := ""; p.Err != nil && p.Err.Error() != tt.err || p.Err == nil && tt.err != got {
				t.Errorf("got %v, want %q", p.Err, tt.err)
			}
			s.Await(t.Context())
		})
	}
	t.Run("as it was told to", func(t *testing.T) {
		t.Parallel()
		s, _ := rotating(t, newTeam(t), `{command: [sleep, "60"], may_end: true}`)
		if err := s.Halt(t.Context()); err != nil {
			t.Error(err)
		}
		if p := s.Progress(); !p.Over || p.Err == nil {
			t.Errorf("got %+v, want that it is over", p)
		}
	})
}
