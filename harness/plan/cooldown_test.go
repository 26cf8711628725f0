package plan

import (
	"strings"
	"testing"
	"time"
)

// TestACooldownOfThePage: a validator of a team's own that fetches what it does not
// know learns within its cooldown, whatever else it says of when it forgets.
func TestACooldownOfThePage(t *testing.T) {
	const said = "learns_within: 15m, forgets_within: 15m"
	if !strings.Contains(jwtPage, said) {
		t.Fatalf("the page has no %q", said)
	}
	page := strings.Replace(jwtPage, said, "cooldown: 2m, forgets_within: 15m", 1)
	p := built(t, loaded(t, page, jwtScenario), Options{})
	for _, v := range p.Limits.Validators {
		if v.Name == "search" && (!v.OnMiss || v.Learns != 2*time.Minute || v.Cooldown != 2*time.Minute || v.Refills() != 15*time.Minute) {
			t.Errorf("got %+v, want one that fetches on a miss, every 2m at most", v)
		}
	}
}
