package docker

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// TestAdopt finds services by nothing but the name of their run.
func TestAdopt(t *testing.T) {
	r, _ := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{
		{Name: "back-end", Serve: "issuer", Config: &settings{"greeting": "hello"}},
		{Name: "front", Serve: "verifier", Environment: map[string]string{"BACK": "{{ .back-end.host }}"}, Config: &settings{}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.Kill(t.Context(), "front"); err != nil {
		t.Fatal(err)
	}
	found, err := Adopt(t.Context(), r.o.Record.Run())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found["back-end"].URL != r.URL("back-end", false) || found["back-end"].Config == nil || !strings.Contains(string(found["back-end"].Config), `"greeting":"hello"`) {
		t.Errorf("got %d services, back-end at %q with %v, want it alone, at %s and told what to say: the other has ended",
			len(found), found["back-end"].URL, found["back-end"].Config, r.URL("back-end", false))
	}
	if none, err := Adopt(t.Context(), "no-such-run"); err != nil || len(none) != 0 {
		t.Errorf("services of a run that there is not: got %v, %v, want none", none, err)
	}
}
