package accuracy

import (
	"math"
	"strings"
	"testing"
)

func TestScore(t *testing.T) {
	truth := Truth{Verdict: Fail, Named: [][]string{{"search"}, {"cdn", "auth"}}, May: []string{"web"}}
	for _, tt := range []struct {
		name     string
		said     Said
		verdict  string
		missed   string
		wrongful string
	}{
		{"right", Said{Verdict: Fail, Named: []string{"search", "auth"}}, "", "", ""},
		{"right, with one who may be named", Said{Verdict: Fail, Named: []string{"search", "cdn", "web"}}, "", "", ""},
		{"wrong verdict", Said{Verdict: Pass, Named: []string{"search", "auth"}}, "pass, want fail", "", ""},
		{"one of two missed", Said{Verdict: Fail, Named: []string{"search"}}, "", "cdn or auth", ""},
		{"one named for nothing", Said{Verdict: Fail, Named: []string{"search", "auth", "checkout", "checkout"}}, "", "", "checkout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := truth.Score(tt.said)
			if s.Verdict != tt.verdict || strings.Join(s.Missed, ",") != tt.missed || strings.Join(s.Wrongful, ",") != tt.wrongful {
				t.Errorf("score: got %+v, want verdict %q, missed %q, wrongful %q", s, tt.verdict, tt.missed, tt.wrongful)
			}
			if want := tt.verdict+tt.missed+tt.wrongful == ""; s.Right() != want {
				t.Errorf("right: got %t, want %t", s.Right(), want)
			}
		})
	}
}

// TestWilson has figures from Newcombe, Statistics in Medicine 17 (1998), table
// I, method 3.
func TestWilson(t *testing.T) {
	for _, tt := range []struct {
		k, n      int
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
		{0, 0, 0, 1},
	} {
		low, high := Wilson(tt.k, tt.n)
		if math.Abs(low-tt.low) > 0.0001 || math.Abs(high-tt.high) > 0.0001 {
			t.Errorf("%d of %d: got %.4f to %.4f, want %.4f to %.4f", tt.k, tt.n, low, high, tt.low, tt.high)
		}
	}
}

func TestTable(t *testing.T) {
	fail := Case{Seed: 4, Situation: "lead short", Truth: Truth{Verdict: Fail, Named: [][]string{{"search"}}}}
	pass := Case{Seed: 5, Situation: "all bounds hold", Truth: Truth{Verdict: Pass}}
	var table Table
	table.Add(fail, Said{Verdict: Fail, Named: []string{"search"}})
	table.Add(fail, Said{Verdict: Pass, Why: "all is well"})
	table.Add(pass, Said{Verdict: Pass})
	table.Add(pass, Said{Verdict: Fail, Named: []string{"search"}, Why: "k2 refused"})
	var b strings.Builder
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `situation        cases  verdict right  culprits right  false alarms  misses  cannot tell
all bounds hold      2              1               1             1       0            0
lead short           2              1               1             0       1            0
all                  4              2               2             1       1            0
verdicts right     2 of 4, 50.00% (95% interval 15.00% to 85.00%)
culprits right     2 of 4, 50.00% (95% interval 15.00% to 85.00%)
false alarms       1 of 4, 25.00% (95% interval 4.56% to 69.94%)
misses             1 of 4, 25.00% (95% interval 4.56% to 69.94%)
cannot tell        0 of 4, 0.00% (95% interval 0.00% to 48.99%)
WRONG seed 4, lead short: verdict pass, want fail; did not name ["search"]; it said: all is well
WRONG seed 5, all bounds hold: verdict fail, want pass; named ["search"] for nothing; it said: k2 refused
`
	if b.String() != want {
		t.Errorf("table: got\n%s\nwant\n%s", b.String(), want)
	}
}
