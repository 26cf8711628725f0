package history

import "testing"

// TestOnlyFetched: one that says nothing itself is not said to take what it fetched,
// until a log, a probe or a request has shown it.
func TestOnlyFetched(t *testing.T) {
	t.Parallel()
	fetched := Event{Kind: KindLearned, Service: "shop", Credential: "k2", What: OfFetch}
	for name, tt := range map[string]struct {
		then []Event
		want bool
	}{
		"fetched":           {[]Event{fetched}, true},
		"said by its log":   {[]Event{{Kind: KindLearned, Service: "shop", Credential: "k2"}}, false},
		"and took a canary": {[]Event{fetched, {Kind: KindProbe, Service: "shop", Credential: "k2", Probe: &Probe{Purpose: Canary, Outcome: OK}}}, false},
		"and refused it":    {[]Event{fetched, {Kind: KindProbe, Service: "shop", Credential: "k2", Probe: &Probe{Purpose: Canary, Outcome: AuthFailure}}}, true},
		"and took a request": {[]Event{fetched, {Kind: KindCounts, Counts: &Counts{
			Source: FromLoad, Presenter: "web", Validator: "shop", Credential: "k2", Attempts: 1, OK: 1}}}, false},
		"and took one with another": {[]Event{fetched, {Kind: KindCounts, Counts: &Counts{
			Source: FromLoad, Presenter: "web", Validator: "shop", Credential: "k1", Attempts: 1, OK: 1}}}, true},
		"of one that was named later": {[]Event{
			{Kind: KindLearned, Service: "shop", Credential: "kid-2", What: OfFetch}, {Kind: KindCredential, Credential: "k2", Identifier: "kid-2"}}, true},
	} {
		v := NewView()
		for _, e := range tt.then {
			v.Apply(e)
		}
		if got := v.OnlyFetched("shop", "k2"); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}
