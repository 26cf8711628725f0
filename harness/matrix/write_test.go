package matrix

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name string
		cell Cell
		want string
	}{
		{"at the first presentation", Cell{Ended: true, Seconds: 0.4}, "at once"},
		{"later", Cell{Ended: true, Seconds: 28.6}, "29s"},
		{"whole minutes", Cell{Ended: true, Seconds: 300.2}, "5m"},
		{"not within the bound", Cell{}, "> 11m"},
		{"a fetch for each", Cell{Ended: true, Fetches: 30, Counts: true}, "1"},
		{"one for all", Cell{Ended: true, Fetches: 1, Counts: true}, "0.03"},
		{"no fetch", Cell{Ended: true, Counts: true}, "0"},
		{"taken", Cell{Ended: true, Decides: true, Accepted: true}, "taken"},
		{"refused", Cell{Ended: true, Decides: true}, "refused"},
		{"in words", Cell{Ended: true, Text: "max-age=3600 | public"}, `max-age=3600 \| public`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cell.text(660); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	m := &Matrix{Measured: "2026-01-02", Bound: 660, Rows: []Row{
		{Name: "a", How: "as it comes", Version: "1.0", Cells: []Cell{{Trial: "new-aged", Ended: true, Seconds: 30}}},
		{Name: "b", How: "otherwise", Version: "2.0"},
	}}
	var data, table bytes.Buffer
	if err := m.WriteJSON(&data); err != nil {
		t.Fatal(err)
	}
	if again, err := Read(data.Bytes()); err != nil || !reflect.DeepEqual(again.Rows[0], m.Rows[0]) {
		t.Errorf("got %+v, %v, want what was written", again, err)
	}
	if err := m.WriteMarkdown(&table, LibraryTable); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| | a | b |\n", "| version | 1.0 | 2.0 |\n", "learned after | 30s | – |\n", "bounded by 11m"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", table.String(), want)
		}
	}
	if _, err := Read([]byte(`{"rows": [], "typed": true}`)); err == nil {
		t.Error("an unknown key was taken, want an error")
	}
}

// TestForgets says what makes a library forget a removed key, from what was measured.
func TestForgets(t *testing.T) {
	after := func(trial string, seconds float64) Cell { return Cell{Trial: trial, Ended: true, Seconds: seconds} }
	never := func(trial string) Cell { return Cell{Trial: trial} }
	for _, tt := range []struct {
		name  string
		cells []Cell
		want  string
	}{
		{"not asked", nil, "–"},
		{"its own time", []Cell{after("removed", 300), never("removed-met")}, "its own time, 5m"},
		{"a kid, and its own time", []Cell{after("removed", 300), after("removed-met", 0.2)}, "a kid that it does not have; its own time, 5m"},
		{"a kid alone", []Cell{never("removed"), after("removed-met", 0.2)}, "a kid that it does not have; by itself not within 11m"},
		{"a kid that came when its own time was over", []Cell{after("removed", 300), after("removed-met", 260)}, "its own time, 5m"},
		{"nothing", []Cell{never("removed"), never("removed-met")}, "by itself not within 11m"},
	} {
		if got := forgets(Row{Cells: tt.cells}, 660); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestRefusals lists each status once; a row that was measured before they were kept has none.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		cells []Cell
		want  string
	}{
		{[]Cell{{}}, "–"},
		{[]Cell{{Status: 403}, {}, {Status: 401}, {Status: 403}}, "401, 403"},
	} {
		if got := refusals(Row{Cells: tt.cells}, 0); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestOver keeps what was measured earlier, and the day of it.
func TestOver(t *testing.T) {
	cells := []Cell{{Trial: "new-aged", Ended: true}}
	m := &Matrix{Measured: "2026-01-03", Rows: []Row{{Name: "a", How: "as it comes", Version: "1.1"}, {Name: "b", Cells: cells}}}
	m.Over(&Matrix{Measured: "2026-01-02", Rows: []Row{{Name: "a", How: "as it comes", Version: "1.0", Cells: cells}, {Name: "b"}}})
	if want := "2026-01-02, b on 2026-01-03"; m.Measured != want || m.Rows[0].Version != "1.0" || len(m.Rows[0].Cells) != 1 {
		t.Errorf("got %+v, want the earlier row, measured on %s", m, want)
	}
}

// TestTokens wants what is presented to be what a trial says.
func TestTokens(t *testing.T) {
	ring, err := newRing()
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{ring: ring}
	seen := map[string]bool{}
	for _, name := range []string{"k1", "k2", "k1-again", "rsa", "no-kid", "garbage", "garbage"} {
		raw, err := s.token(name)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(raw, ".")
		if name == "garbage" && seen[head] {
			t.Error("two garbage tokens have one kid")
		}
		seen[head] = true
	}
	if ring["k1"].KeyID != ring["k1-again"].KeyID || ring["k1"].Key == ring["k1-again"].Key {
		t.Error("want the kid of k1 reused for another key")
	}
}
