package standin

import (
	"strings"
	"testing"
)

func TestPublishedConfig(t *testing.T) {
	store := &StoreConfig{URL: "http://store", Token: "t", Path: "m/data/p"}
	tests := []struct {
		name   string
		config PublishedConfig
		want   string // in the error; "": none
	}{
		{"store", PublishedConfig{Store: store, Refresh: 1}, ""},
		{"file", PublishedConfig{File: "/f", Refresh: 1}, ""},
		{"variable is not read again", PublishedConfig{Variable: "V"}, ""},
		{"pinned", PublishedConfig{File: "/f", Pinned: true}, ""},
		{"none", PublishedConfig{Refresh: 1}, "got 0 of them"},
		{"two", PublishedConfig{File: "/f", Variable: "V"}, "got 2 of them"},
		{"no refresh", PublishedConfig{Store: store}, "refresh must be longer than 0"},
		{"no token", PublishedConfig{Store: &StoreConfig{URL: "u", Path: "p"}, Refresh: 1}, "store.token is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.config.Check()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
