package runbook

import (
	"testing"
	"testing/fstest"
)

// TestNew loads the page of every family as it is printed.
func TestNew(t *testing.T) {
	for _, family := range FamilyNames() {
		text, ok := New(family)
		if !ok {
			t.Errorf("family %s has no page to fill in", family)
			continue
		}
		page, err := Load(fstest.MapFS{"p.yaml": {Data: text}}, "p.yaml")
		if err != nil {
			t.Errorf("the page of %s: %v", family, err)
			continue
		}
		if page.Scope.Family != family || page.Schedule.Owner != "" {
			t.Errorf("the page of %s is of family %q, with owner %q; want it without an owner", family, page.Scope.Family, page.Schedule.Owner)
		}
	}
	if _, ok := New("../runbook"); ok {
		t.Error("there is a page of family ../runbook, want none")
	}
}
