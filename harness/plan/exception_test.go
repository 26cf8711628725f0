package plan

import (
	"fmt"
	"testing"
	"time"
)

// TestExceptionOfAClientWithSeveralTargets holds for each of them, and leaves the page as it
// was loaded.
func TestExceptionOfAClientWithSeveralTargets(t *testing.T) {
	l := loaded(t, jwtPage, jwtScenario, "{client: web, to: checkout,", "{client: old-app, targets: [{to: checkout}, {to: search}],")
	for range 2 { // the second time from what the first has left
		p := built(t, l, Options{})
		if got, want := fmt.Sprint(p.Limits.Exceptions), fmt.Sprint([]Exception{{"old-app-checkout", 24 * time.Hour}, {"old-app-search", 24 * time.Hour}}); got != want {
			t.Errorf("exceptions: got %s, want %s", got, want)
		}
		for i, want := range []string{"old-app-checkout to checkout", "old-app-search to search", "bot to search"} {
			if c := p.Limits.Clients[i]; c.Name+" to "+c.To != want {
				t.Errorf("client %d: got %s to %s, want %s", i, c.Name, c.To, want)
			}
		}
	}
}
