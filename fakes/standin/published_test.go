package standin

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestPublishedConfiguration(t *testing.T) {
	store := &contract.Stored{URL: "http://store", Token: "t", Path: "m/data/p"}
	tests := []struct {
		name   string
		config contract.Published
		want   string // in the error; "": none
	}{
		{"store", contract.Published{Store: store, Refresh: 1}, ""},
		{"file", contract.Published{File: "/f", Refresh: 1}, ""},
		{"variable is not read again", contract.Published{Variable: "V"}, ""},
		{"pinned", contract.Published{File: "/f", Pinned: true}, ""},
		{"none", contract.Published{Refresh: 1}, "got 0 of them"},
		{"two", contract.Published{File: "/f", Variable: "V"}, "got 2 of them"},
		{"no refresh", contract.Published{Store: store}, "refresh must be longer than 0"},
		{"no token", contract.Published{Store: &contract.Stored{URL: "u", Path: "p"}, Refresh: 1}, "store.token is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := CheckPublished(test.config)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
