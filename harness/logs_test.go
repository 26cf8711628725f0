package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// loggedBy are the logs of a rehearsal with its recorder; sink writes a line.
func loggedBy(t *testing.T, page, scenario string) (*logs, *history.Recorder) {
	t.Helper()
	p := planned(t, page, scenario)
	r := history.NewRecorder(time.Now().Add(-time.Minute), nil)
	l := newLogs(t.TempDir(), p, newNames(p), r)
	t.Cleanup(func() {
		if err := l.close(); err != nil {
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
	l, _ := loggedBy(t, jwtPage, jwtScenario)
	l.line("auth", []byte("not JSON"))
	l.line("auth", line("minted", ""))
	l.line("search", []byte("x"))
	if err := l.close(); err != nil {
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
	l, _ := loggedBy(t, jwtPage, jwtScenario)
	folder := l.folder
	l.folder = filepath.Join(folder, "gone")
	l.line("auth", []byte("x"))
	if err := l.close(); err == nil {
		t.Error("got no error, want that the file could not be made")
	}
	l.failed, l.folder = nil, folder
}

func TestLogsFindReadersOfTheSecret(t *testing.T) {
	audited := func(who, path string) []byte {
		return fmt.Appendf(nil, `{"time":%q,"type":"response","auth":{"display_name":%q},"request":{"operation":"read","path":%q}}`,
			time.Now().Format(time.RFC3339Nano), who, path)
	}
	l, r := loggedBy(t, jwtPage, jwtScenario)
	l.line(storeService, audited("token-early", "rehearse-1/data/auth/key"))
	l.follow(audit{service: storeService, path: "rehearse-1/data/auth/key", shown: "secret/data/auth/key"})
	l.line(storeService, audited("token-legacy", "rehearse-1/data/auth/key"))
	l.line(storeService, audited("token-legacy", "rehearse-1/data/another"))
	l.line(storeService, audited("root", "rehearse-1/data/auth/key"))
	l.line("auth", audited("token-auth", "rehearse-1/data/auth/key"))
	r.See(func(v *history.View) {
		if len(v.Readers) != 1 || v.Readers["legacy secret/data/auth/key"] == nil {
			t.Errorf("got readers %v, want legacy alone", v.Readers)
		}
	})
}

// TestLogsCountAtTheAuthority: its decisions are the observations, apart from
// those about probes; presentations without an answer are added.
func TestLogsCountAtTheAuthority(t *testing.T) {
	l, r := loggedBy(t, apiKeyPage, apiKeyScenario)
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
			l.line(service, text)
		}
	}
	l.hop.flush(history.Offset(time.Hour))
	key := history.CellKey{Source: history.FromAuthority, Presenter: "billing", Validator: "payments", Credential: "k1"}
	r.See(func(v *history.View) {
		got := v.Sum(key, 0, history.Offset(time.Hour))
		if len(v.Cells) != 1 || got.Attempts != 4 || got.OK != 1 || got.AuthFailures != 1 || got.Unavailable != 2 {
			t.Errorf("got %+v of %d cells, want one taken, one refused and two without an answer to it, in one cell", got, len(v.Cells))
		}
	})
	if got := []int64{l.told("payments"), l.told("billing"), l.noAnswers(), l.hop.attempts()}; fmt.Sprint(got) != "[5 2 1 4]" {
		t.Errorf("got %v answered, presented, without an answer and at the hop; want [5 2 1 4]", got)
	}
}

// TestLogsCountForLoad: where load observes, decisions are only counted.
func TestLogsCountForLoad(t *testing.T) {
	l, r := loggedBy(t, jwtPage, jwtScenario)
	l.line("checkout", line("accepted", `,"presenter":"web","identifier":"k1","status":"200"`))
	l.hop.flush(history.Offset(time.Hour))
	r.See(func(v *history.View) {
		if len(v.Cells) != 0 {
			t.Errorf("got cells %v, want none", v.Cells)
		}
	})
	if got := l.told("checkout"); got != 1 {
		t.Errorf("got %d decisions, want 1", got)
	}
}

// A consumer with several to present to says to whom; what it presents by itself
// and what it tries again are told apart.
func TestLogsTellPresentationsApart(t *testing.T) {
	l, r := loggedBy(t, apiKeyPage, apiKeyScenario)
	for _, more := range []string{
		`,"validator":"payments","status":"unavailable","attempt":1,"identifier":"k1"`,
		`,"validator":"other","status":"unavailable","attempt":1,"unasked":true,"identifier":"k1"`,
		`,"validator":"other","status":"401","attempt":2,"unasked":true,"identifier":"k1"`,
		`,"status":"201","attempt":1,"identifier":"k1"`,
	} {
		l.line("billing", line(history.MessagePresented, more))
	}
	l.hop.flush(history.Offset(2 * time.Minute))
	if retried, unasked := l.tries(); retried != 1 || unasked != 1 || l.told("billing") != 4 || l.noAnswers() != 2 {
		t.Errorf("got %d retried, %d unasked of %d, %d without an answer; want 1, 1, 4 and 2", retried, unasked, l.told("billing"), l.noAnswers())
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
