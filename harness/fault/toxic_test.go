package fault

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// What is held against a delay is the fastest of a few answers; that of before
// may have been held up by a busy machine.
func TestDelayedEvidence(t *testing.T) {
	d := delayed{adds: 180 * time.Millisecond}
	answers := func(ms float64) Reading { return Reading{asked: 3, answered: 3, fastest: ms} }
	for _, tt := range []struct {
		name           string
		before, during Reading
		took           bool
	}{
		{"all of the delay", answers(2), answers(202), true},
		{"held up before, too", answers(36), answers(215), true},
		{"as slow before", answers(190), answers(215), false},
		{"less than the delay", answers(2), answers(150), false},
		{"nothing", answers(2), answers(2), false},
		{"not all answered before", Reading{asked: 3, answered: 2, fastest: 2}, answers(202), false},
		{"none answered during it", answers(2), Reading{asked: 3}, false},
	} {
		if got := d.Took(tt.before, tt.during); got != tt.took {
			t.Errorf("%s: took effect: got %t, want %t", tt.name, got, tt.took)
		}
	}
	if !d.Back(answers(36), answers(40)) || d.Back(answers(2), answers(230)) {
		t.Error("back: an answer without the delay is, and one with it is not")
	}
	if d.Back(answers(2), Reading{asked: 3}) {
		t.Error("back: got it where nobody answered")
	}
}

// An order that is answered with a redirect was not carried out.
func TestOrdersFollowNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	standIn := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer standIn.Close()
	resp, err := orders.Get(standIn.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		t.Errorf("got %s, want the redirect itself", resp.Status)
	}
}
