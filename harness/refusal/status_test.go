package refusal

import "testing"

func TestStatuses(t *testing.T) {
	for _, tt := range []struct {
		status                   string
		succeeded, noRoom, wrong bool
	}{
		{"200", true, false, false}, {"302", true, false, false}, {"401", false, false, false}, {"503", false, false, false},
		{"00000", true, false, false}, {"OK", true, false, false}, {"ok", true, false, false},
		{"53300", false, true, false}, {"1040", false, true, false}, {"1203", false, true, false},
		{"28P01", false, false, true}, {"1045", false, false, true}, {"WRONGPASS", false, false, true},
		{"28000", false, false, false}, {"refused", false, false, false}, {"timeout", false, false, false}, {"", false, false, false},
	} {
		if got := Succeeded(tt.status); got != tt.succeeded {
			t.Errorf("%q succeeded: got %t", tt.status, got)
		}
		if got := NoRoom(tt.status); got != tt.noRoom {
			t.Errorf("%q had no room: got %t", tt.status, got)
		}
		if got := WrongValue(tt.status); got != tt.wrong {
			t.Errorf("%q is of a wrong value: got %t", tt.status, got)
		}
	}
}

func TestOwnLimit(t *testing.T) {
	for status, want := range map[string]bool{PostgresRoleFull: true, "53300": false, "1226": true, "1203": true, "1040": false, "530 connection limit": true, "530": false, "": false} {
		if got := OwnLimit(status); got != want || want && !NoRoom(status) {
			t.Errorf("%q: got %t, and no room %t; want %t", status, got, NoRoom(status), want)
		}
	}
}

func TestLacksRight(t *testing.T) {
	for status, want := range map[string]bool{"42501": true, "1044": true, "NOPERM": true, "530": true, "28P01": false, "1045": false, "403": false, "530 connection limit": false, "": false} {
		if got := LacksRight(status); got != want {
			t.Errorf("%q: got %t, want %t", status, got, want)
		}
	}
}
