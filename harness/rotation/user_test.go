package rotation

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestUser: who presents both at once is not why one that has not learned the new takes
// the old, and is where one that has learned it does.
func TestUser(t *testing.T) {
	key := history.CellKey{Source: history.FromAuthority, Presenter: "payments", Validator: "orders", Credential: Old}
	for _, tt := range []struct {
		name           string
		several, holds bool
		want           string
	}{
		{"of one", false, false, "payments"},
		{"of both, and not learned", true, false, "orders"},
		{"of both, and learned", true, true, "payments"},
	} {
		v := history.NewView()
		if tt.holds {
			v.Holds["orders"] = map[string]history.Offset{New: 1}
		}
		l := Look{View: v, Limits: plan.Limits{Emitters: []plan.Emitter{{Name: "payments", Several: tt.several}}}}
		if got := l.user(key); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
