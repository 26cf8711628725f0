package main

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/store"
)

func TestSeed(t *testing.T) {
	server := httptest.NewServer(store.New("the-token", &bytes.Buffer{}))
	defer server.Close()
	tests := []struct{ name, token, want string }{
		{"without a token", "", "REHEARSE_STORE_TOKEN is empty"},
		{"with a bad token", "bad", "permission denied"},
		{"first", "the-token", "published signing key "},
		{"again", "the-token", "left as it is"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(storeTokenVariable, test.token)
			var out bytes.Buffer
			command := seedCommand()
			command.SetArgs([]string{server.URL, "auth/key"})
			command.SetOut(&out)
			command.SilenceErrors, command.SilenceUsage = true, true
			if err := command.ExecuteContext(t.Context()); err != nil {
				out.WriteString(err.Error())
			}
			if got := out.String(); !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
}
