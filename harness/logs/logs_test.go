package logs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// loggedBy are the logs of a rehearsal with its recorder; sink writes a line.
func loggedBy(t *testing.T, page, scenario string) (*Logs, *history.Recorder) {
	t.Helper()
	p := plantest.Plan(t, page, scenario)
	r := history.NewRecorder(time.Now().Add(-time.Minute), nil)
	l := New(t.TempDir(), p, NewNames(p), r)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, r
}

// line is a line of a stand-in's log, written now.
func line(message, more string) []byte {
	return fmt.Appendf(nil, `{"time":%q,"level":"INFO","msg":%q%s}`, time.Now().Format(time.RFC3339Nano), message, more)
}

func TestLogsKeepEveryLine(t *testing.T) {
	l, _ := loggedBy(t, plantest.JWTPage, plantest.JWTScenario)
	l.Line("auth", []byte("not JSON"))
	l.Line("auth", line("minted", ""))
	l.Line("search", []byte("x"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"auth": 2, "search": 1} {
		data, err := os.ReadFile(filepath.Join(l.folder, name+".log"))
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for _, b := range data {
			if b == '\n' {
				lines++
			}
		}
		if lines != want {
			t.Errorf("%s: got %d lines, want %d", name, lines, want)
		}
	}
}

func TestLogsSayWhenTheyCannotBeKept(t *testing.T) {
	l, _ := loggedBy(t, plantest.JWTPage, plantest.JWTScenario)
	folder := l.folder
	l.folder = filepath.Join(folder, "gone")
	l.Line("auth", []byte("x"))
	if err := l.Close(); err == nil {
		t.Error("got no error, want that the file could not be made")
	}
	l.failed, l.folder = nil, folder
}

func TestLogsFindReadersOfTheSecret(t *testing.T) {
	audited := func(who, path string) []byte {
		return fmt.Appendf(nil, `{"time":%q,"type":"response","auth":{"display_name":%q},"request":{"operation":"read","path":%q}}`,
			time.Now().Format(time.RFC3339Nano), who, path)
	}
	l, r := loggedBy(t, plantest.JWTPage, plantest.JWTScenario)
	l.Line(history.Store, audited("token-early", "rehearse-1/data/auth/key"))
	l.Follow("rehearse-1/data/auth/key", "secret/data/auth/key")
	l.Line(history.Store, audited("token-legacy", "rehearse-1/data/auth/key"))
	l.Line(history.Store, audited("token-legacy", "rehearse-1/data/another"))
	l.Line(history.Store, audited("root", "rehearse-1/data/auth/key"))
	l.Line("auth", audited("token-auth", "rehearse-1/data/auth/key"))
	r.See(func(v *history.View) {
		if len(v.Readers) != 1 || v.Readers["legacy secret/data/auth/key"] == nil {
			t.Errorf("got readers %v, want legacy alone", v.Readers)
		}
	})
}

// TestLogsCountAtTheAuthority: its decisions are the observations, apart from
// those about probes; presentations without an answer are added.
func TestLogsCountAtTheAuthority(t *testing.T) {
	l, r := loggedBy(t, plantest.APIKeyPage, plantest.APIKeyScenario)
	for service, lines := range map[string][][]byte{
		"payments": {
			line("accepted", `,"presenter":"billing","identifier":"k1","status":"201"`),
			line("refused", `,"presenter":"billing","identifier":"k1","status":"401"`),
			line("accepted", `,"presenter":"rehearse-probe","identifier":"k1","status":"201"`),
			line("undecided", `,"presenter":"billing","identifier":"k1","status":"503"`),
			line("undecided", `,"status":"400"`), // of one who was cut off, and says so himself
		},
		"billing": {
			line("presented", `,"identifier":"k1","status":"201"`),
			line("presented", `,"identifier":"k1","status":"unavailable"`),
		},
	} {
		for _, text := range lines {
			l.Line(service, text)
		}
	}
	l.counts.flush(history.Offset(time.Hour))
	key := history.CellKey{Source: history.FromAuthority, Presenter: "billing", Validator: "payments", Credential: "k1"}
	r.See(func(v *history.View) {
		got := v.Sum(key, 0, history.Offset(time.Hour))
		if len(v.Cells) != 1 || got.Attempts != 4 || got.OK != 1 || got.AuthFailures != 1 || got.Unavailable != 2 {
			t.Errorf("got %+v of %d cells, want one taken, one refused and two without an answer to it, in one cell", got, len(v.Cells))
		}
	})
	if got := []int64{l.Told("payments"), l.Told("billing"), l.Unanswered(), l.Attempts()}; fmt.Sprint(got) != "[5 2 1 4]" {
		t.Errorf("got %v answered, presented, without an answer and judged; want [5 2 1 4]", got)
	}
}

// TestLogsTellWhatASenderSignsWith: a signature that was made just then, by its own timestamp, tells which
// secret a sender of a team's own signs with; one without does not, nor that of a stand-in, which says so.
func TestLogsTellWhatASenderSignsWith(t *testing.T) {
	scenario := strings.NewReplacer("{serve: sender}", `{command: [sender], environment: {VAULT_TOKEN: "{{ .store.token }}", TO: "{{ .orders.url }} {{ .ledger.url }}"}, agent: payments, scale: full}`,
		"endpoint: orders, ", "", "endpoint: ledger, ", "").Replace(plantest.WebhookScenario)
	for name, tt := range map[string]struct {
		scenario, more string
		want           []string
	}{
		"made just then":         {scenario, `,"anew":true`, []string{"k1", "k2", "k1"}},
		"made nobody knows when": {scenario, ``, nil},
		"by a stand-in":          {plantest.WebhookScenario, `,"anew":true`, nil},
	} {
		l, _ := loggedBy(t, plantest.WebhookPage, tt.scenario)
		var got []string
		l.record = func(e history.Event) {
			if e.Kind == history.KindEmitting && e.Service == "payments" {
				got = append(got, e.Credential)
			}
		}
		began := time.Now()
		for i, identifier := range []string{"k1", "k1", "k2", "unknown", "k1"} {
			at := began.Add(time.Duration(i) * time.Second).Format(time.RFC3339Nano)
			l.Line("ledger", fmt.Appendf(nil, `{"time":%q,"level":"INFO","msg":"accepted","presenter":"payments","status":"204","identifier":%q%s}`, at, identifier, tt.more))
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// TestLogsCountForLoad: where load observes, decisions are only counted.
func TestLogsCountForLoad(t *testing.T) {
	l, r := loggedBy(t, plantest.JWTPage, plantest.JWTScenario)
	l.Line("checkout", line("accepted", `,"presenter":"web","identifier":"k1","status":"200"`))
	l.counts.flush(history.Offset(time.Hour))
	r.See(func(v *history.View) {
		if len(v.Cells) != 0 {
			t.Errorf("got cells %v, want none", v.Cells)
		}
	})
	if got := l.Told("checkout"); got != 1 {
		t.Errorf("got %d decisions, want 1", got)
	}
}

// A consumer with several to present to says to whom; what it presents by itself
// and what it tries again are told apart.
func TestLogsTellPresentationsApart(t *testing.T) {
	l, r := loggedBy(t, plantest.APIKeyPage, plantest.APIKeyScenario)
	for _, more := range []string{
		`,"validator":"payments","status":"unavailable","attempt":1,"identifier":"k1"`,
		`,"validator":"other","status":"unavailable","attempt":1,"unasked":true,"identifier":"k1"`,
		`,"validator":"other","status":"401","attempt":2,"unasked":true,"identifier":"k1"`,
		`,"status":"201","attempt":1,"identifier":"k1"`,
	} {
		l.Line("billing", line(history.MessagePresented, more))
	}
	l.counts.flush(history.Offset(2 * time.Minute))
	if retried, unasked := l.Tries(); retried != 1 || unasked != 1 || l.Told("billing") != 4 || l.Unanswered() != 2 {
		t.Errorf("got %d retried, %d unasked of %d, %d without an answer; want 1, 1, 4 and 2", retried, unasked, l.Told("billing"), l.Unanswered())
	}
	r.See(func(v *history.View) {
		for _, validator := range []string{"payments", "other"} {
			key := history.CellKey{Source: history.FromAuthority, Presenter: "billing", Validator: validator, Credential: "k1"}
			if got := v.Sum(key, 0, v.Now+1); got.Unavailable != 1 {
				t.Errorf("%s: got %+v, want one that got no answer", validator, got)
			}
		}
	})
}

// TestLogsCountWhatAPresenterTells: a receiver of a team's own tells nothing, so
// that its sender's record is all that is known of it. One that is a stand-in
// tells itself, and nothing of it is counted twice.
func TestLogsCountWhatAPresenterTells(t *testing.T) {
	l, r := loggedBy(t, plantest.WebhookPage, plantest.WebhookScenario)
	for _, more := range []string{
		`,"validator":"orders","status":"204","outcome":"ok"`,
		`,"validator":"orders","status":"400","outcome":"auth_failure"`,
		`,"validator":"orders","status":"500","outcome":"unavailable"`,
		`,"validator":"orders","status":"unavailable","outcome":"unavailable"`,
		`,"validator":"ledger","status":"401","outcome":"auth_failure"`,
		`,"validator":"ledger","status":"unavailable","outcome":"unavailable"`,
	} {
		l.Line("payments", line(history.MessagePresented, `,"identifier":"k1","attempt":1`+more))
	}
	l.Line("ledger", line(history.MessageRefused, `,"identifier":"k1","presenter":"payments","status":"401"`))
	l.counts.flush(history.Offset(2 * time.Minute))
	r.See(func(v *history.View) {
		for validator, want := range map[string]history.Counts{
			"orders": {Attempts: 4, OK: 1, AuthFailures: 1, Unavailable: 2},
			"ledger": {Attempts: 2, AuthFailures: 1, Unavailable: 1},
		} {
			got := v.Sum(history.CellKey{Source: history.FromAuthority, Presenter: "payments", Validator: validator, Credential: "k1"}, 0, v.Now+1)
			if got.Attempts != want.Attempts || got.OK != want.OK || got.AuthFailures != want.AuthFailures || got.Unavailable != want.Unavailable {
				t.Errorf("%s: got %+v, want %+v", validator, got, want)
			}
		}
	})
}

// TestLogsFlushAsTimeGoes: a bucket is recorded once lines for it are not late
// any more, and all that are left when no more lines come.
func TestLogsFlushAsTimeGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := loggedBy(t, plantest.APIKeyPage, plantest.APIKeyScenario)
		ctx, cancel := context.WithCancel(t.Context())
		var flushing sync.WaitGroup
		flushing.Go(func() { l.FlushEvery(ctx) })
		recorded := func() (n int64) {
			r.See(func(v *history.View) {
				for key := range v.Cells {
					n += v.Sum(key, 0, v.Now+1).Attempts
				}
			})
			return n
		}
		tell := func() {
			l.Line("payments", line("accepted", `,"presenter":"billing","identifier":"k1","status":"201"`))
		}
		tell()
		time.Sleep(time.Duration(bucket+late) / 2)
		if got := recorded(); got != 0 {
			t.Errorf("before lines are late: got %d recorded, want 0", got)
		}
		time.Sleep(time.Duration(2*bucket + late))
		if got := recorded(); got != 1 {
			t.Errorf("after lines are late: got %d recorded, want 1", got)
		}
		cancel()
		flushing.Wait()
		tell()
		l.Flush()
		if got := recorded(); got != 2 {
			t.Errorf("at the end: got %d recorded, want 2", got)
		}
	})
}
