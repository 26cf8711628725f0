package history_test

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestSeenBeforeItHadAName: a credential that was published before the run knew of
// it is the same afterwards, and another one stays what it was.
func TestSeenBeforeItHadAName(t *testing.T) {
	set := []string{"k1", "kid-2", "kid-3"}
	h := &history.History{Events: []history.Event{
		{At: 1, Kind: history.KindCredential, Credential: "k1", Identifier: "kid-1"},
		{At: 2, Kind: history.KindPublished, Service: "auth", Credentials: set},
		{At: 3, Kind: history.KindCounts, Credential: "kid-2", Counts: &history.Counts{Source: history.FromLoad, Presenter: "web", Validator: "search", Credential: "kid-2", Attempts: 2}},
		{At: 4, Kind: history.KindCredential, Credential: "k2", Identifier: "kid-2"},
		{At: 5, Kind: history.KindCounts, Credential: "k2", Counts: &history.Counts{Source: history.FromLoad, Presenter: "web", Validator: "search", Credential: "k2", Attempts: 3}},
	}}
	v := history.ViewOf(h)
	if want := []string{"k1", "k2", "kid-3"}; !slices.Equal(v.Published["auth"], want) || v.PublishedAt["auth"]["k2"] != 2 {
		t.Errorf("published: got %q since %v, want %q", v.Published["auth"], v.PublishedAt["auth"], want)
	}
	key := history.CellKey{Source: history.FromLoad, Presenter: "web", Validator: "search", Credential: "k2"}
	if sum := v.Sum(key, 0, 10); sum.Attempts != 5 || len(v.Cells) != 1 {
		t.Errorf("counted: got %d in %d cells, want 5 in one", sum.Attempts, len(v.Cells))
	}
	named := h.Named()
	if !slices.Equal(named[1].Credentials, []string{"k1", "k2", "kid-3"}) || named[2].Counts.Credential != "k2" {
		t.Errorf("events: got %+v", named)
	}
	if set[1] != "kid-2" || h.Events[2].Counts.Credential != "kid-2" {
		t.Error("the history itself was changed")
	}
}
