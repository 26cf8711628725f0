package history

import (
	"encoding/json"
	"testing"
	"time"
)

func TestOffsetJSON(t *testing.T) {
	for _, tt := range []struct {
		name   string
		offset Offset
		text   string
	}{
		{"zero", 0, "0"},
		{"whole milliseconds", Offset(1500 * time.Millisecond), "1500"},
		{"microseconds", Offset(1500*time.Millisecond + 250*time.Microsecond), "1500.25"},
		{"before the start", Offset(-20 * time.Millisecond), "-20"},
		{"a day", Offset(24 * time.Hour), "86400000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(tt.offset)
			if err != nil || string(got) != tt.text {
				t.Errorf("marshal: got %s, %v, want %s", got, err, tt.text)
			}
			var back Offset
			if err := json.Unmarshal([]byte(tt.text), &back); err != nil || back != tt.offset {
				t.Errorf("unmarshal: got %d, %v, want %d", back, err, tt.offset)
			}
		})
	}
}

// TestOffsetJSONKeepsMicroseconds looks for values that binary fractions cut short.
func TestOffsetJSONKeepsMicroseconds(t *testing.T) {
	for micros := int64(1); micros < 7_200_000_000; micros += 1 + micros/1000 {
		want := Offset(time.Duration(micros) * time.Microsecond)
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatalf("marshal %d µs: %v", micros, err)
		}
		var got Offset
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("round trip of %d µs by %s: got %d µs, %v", micros, text, got.Duration().Microseconds(), err)
		}
	}
}

func TestOffsetJSONRefuses(t *testing.T) {
	for _, text := range []string{`"5s"`, `{}`, `[1]`} {
		var o Offset
		if err := json.Unmarshal([]byte(text), &o); err == nil {
			t.Errorf("unmarshal %s: got %s, want an error", text, o.Wall())
		}
	}
}

func TestOffsetText(t *testing.T) {
	o := Offset(12*time.Second + 345678*time.Microsecond)
	if got, want := o.Wall(), "12.346s"; got != want {
		t.Errorf("string: got %s, want %s", got, want)
	}
	if got, want := o.Milliseconds(), int64(12345); got != want {
		t.Errorf("milliseconds: got %d, want %d", got, want)
	}
}

func TestPhasesAreInOrder(t *testing.T) {
	want := []Phase{"baseline", "accept", "verify", "emit", "overlap", "revoke", "watch"}
	got := Phases()
	if len(got) != len(want) {
		t.Fatalf("phases: got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("phase %d: got %s, want %s", i, got[i], want[i])
		}
	}
}
