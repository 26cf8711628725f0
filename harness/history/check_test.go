package history

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// kinds are the constants of type Kind, by their text in the source: a new one
// cannot be forgotten here.
func kinds(t *testing.T) []Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatalf("parse event.go: %v", err)
	}
	var all []Kind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Kind" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatalf("constant %s: %v", spec.Names[0], err)
			}
			all = append(all, Kind(text))
		}
		return true
	})
	return all
}

func TestEveryKindIsChecked(t *testing.T) {
	all := kinds(t)
	if len(all) < 30 {
		t.Fatalf("found %d kinds in event.go, want all of them", len(all))
	}
	for _, kind := range all {
		required, known := needs[kind]
		if !known {
			t.Errorf("kind %q: the table of what kinds need does not have it", kind)
		}
		if len(required) == 0 {
			continue
		}
		_, err := parseEvent([]byte(`{"at_ms":1,"kind":"` + string(kind) + `"}`))
		if err == nil || !strings.Contains(err.Error(), required[0].what) {
			t.Errorf("kind %q without its parts: got %v, want an error that names %q", kind, err, required[0].what)
		}
	}
	if len(needs) != len(all) {
		t.Errorf("the table has %d kinds, and event.go %d", len(needs), len(all))
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"no kind", `{"at_ms":1}`, "without a kind"},
		{"null", `null`, "without a kind"},
		{"a phase of another rotation", `{"at_ms":1,"kind":"phase","phase":"celebrate"}`, `phase "celebrate"`},
		{"a time beyond reckoning", `{"at_ms":1e300,"kind":"end"}`, "hundred years"},
		{"a time before all reckoning", `{"at_ms":-1e300,"kind":"end"}`, "hundred years"},
		{"attempts below zero", `{"at_ms":1,"kind":"counts","counts":{"attempts":-1}}`, "counts.attempts is -1"},
		{"attempts beyond reckoning", `{"at_ms":1,"kind":"counts","counts":{"attempts":9223372036854775807}}`, "counts.attempts"},
		{"a status below zero", `{"at_ms":1,"kind":"counts","counts":{"statuses":{"401":-3}}}`, "counts.statuses.401"},
		{"a session below zero", `{"at_ms":1,"kind":"counts","counts":{"failed_sessions":{"s1":-3}}}`, "counts.failed_sessions.s1"},
		{"a latency below zero", `{"at_ms":1,"kind":"counts","counts":{"latency_us":[[-4,1]]}}`, "counts.latency_us"},
		{"a bucket of less than no time", `{"at_ms":1,"kind":"counts","counts":{"width_ms":-100}}`, "counts.width_ms"},
		{"a stage of no fault", `{"at_ms":1,"kind":"fault","fault":{"stage":"planned"}}`, `fault.stage is "planned"`},
		{"totals beyond reckoning", `{"at_ms":1,"kind":"totals","totals":{"sent":9000000000000000000}}`, "totals.sent"},
		{"leaks beyond reckoning", `{"at_ms":1,"kind":"leaks","leaks":{"hits":9000000000000000000}}`, "leaks.hits"},
		{"a ledger beyond reckoning", `{"at_ms":1,"kind":"ledger","ledger":{"irregular":[{"count":9000000000000000000}]}}`, "ledger.irregular.count"},
		{"a probe of less than no time", `{"at_ms":1,"kind":"probe","service":"a","probe":{"latency_ms":-1}}`, "probe.latency_ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseEvent([]byte(tt.line)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// TestCheckTakesOlderHistories reads events as earlier versions wrote them:
// without the fields that came later, and with some that are gone.
func TestCheckTakesOlderHistories(t *testing.T) {
	for _, line := range []string{
		`{"at_ms":1,"kind":"step","step":"emit","credential":"k2"}`,
		`{"at_ms":1,"kind":"counts","counts":{"source":"load","presenter":"web","validator":"shop","credential":"k1","width_ms":100}}`,
		`{"at_ms":1,"kind":"totals","totals":{"scheduled":1,"sent":1,"recorded":1,"served":1,"not_sent":-1}}`,
		`{"at_ms":1,"kind":"end","detail":"complete","mood":"good"}`,
		`{"at_ms":1,"kind":"of-another-version"}`,
		`{"at_ms":-3.5,"kind":"read","reader":"auth","what":"jwks"}`,
	} {
		if _, err := parseEvent([]byte(line)); err != nil {
			t.Errorf("%s: got %v, want it read", line, err)
		}
	}
}
