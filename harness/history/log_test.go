package history

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

func TestParseLineReadsWhatNewLoggerWrites(t *testing.T) {
	var out bytes.Buffer
	before := time.Now()
	NewLogger(&out, "search").Warn(string(KindFetched),
		"identifiers", []string{"kid-1", "kid-2"}, "holds", []string{"kid-1"}, "identifier", "kid-2",
		"presenter", "web", "status", "401", "reader", "checkout", "what", "jwks", "from", "cdn",
		"detail", `it said "no"`, "latency_us", 1234, "attempt", 2)
	got, ok := ParseLine(bytes.TrimSpace(out.Bytes()))
	if !ok {
		t.Fatalf("parse %s: not taken for a line", out.Bytes())
	}
	if got.Time.Before(before) || got.Time.After(time.Now()) {
		t.Errorf("time: got %s, want between %s and now", got.Time, before)
	}
	got.Time = time.Time{}
	want := Line{
		Level: "WARN", Message: "fetched", Service: "search", Identifier: "kid-2",
		Identifiers: []string{"kid-1", "kid-2"}, Holds: []string{"kid-1"},
		Presenter: "web", Status: "401", Reader: "checkout", What: "jwks", From: "cdn",
		Detail: `it said "no"`, Latency: 1234, Attempt: 2,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("line: got %+v, want %+v", got, want)
	}
}

func TestParseLineLeavesOtherLinesAside(t *testing.T) {
	for _, tt := range []struct{ name, line string }{
		{"empty", ""},
		{"text", "listening on :8080"},
		{"cut off", `{"time":"2026-01-02T03:04:05Z","msg":"fet`},
		{"an array", `["fetched"]`},
		{"no message", `{"time":"2026-01-02T03:04:05Z","level":"INFO"}`},
		{"no time", `{"msg":"fetched"}`},
		{"another format's time", `{"time":1767323045,"msg":"fetched"}`},
		{"another format's field", `{"time":"2026-01-02T03:04:05Z","msg":"fetched","identifiers":"kid-1"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := ParseLine([]byte(tt.line)); ok {
				t.Errorf("got %+v, want it left aside", got)
			}
		})
	}
}
