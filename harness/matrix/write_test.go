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
		{"fetches", Cell{Ended: true, Fetches: 30, Counts: true}, "30"},
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

// TestOver keeps what was measured earlier, and the day of it.
func TestOver(t *testing.T) {
	cells := []Cell{{Trial: "new-aged", Ended: true}}
	m := &Matrix{Measured: "2026-01-03", Rows: []Row{{Name: "a", How: "as it comes"}, {Name: "b", Cells: cells}}}
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
