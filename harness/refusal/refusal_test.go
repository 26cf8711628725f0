package refusal

import (
	"net/http"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestOutcome(t *testing.T) {
	tests := []struct {
		name   string
		signs  Signs
		status int
		header http.Header
		body   string
		want   history.Outcome
	}{
		{name: "success", status: 204, want: history.OK},
		{name: "moved", status: 302, want: history.OK},
		{name: "unauthorized", status: 401, want: history.AuthFailure},
		{name: "forbidden", status: 403, want: history.AuthFailure},
		{name: "broken", status: 502, want: history.Unavailable},
		{name: "its own status", signs: Signs{Statuses: []int{418}}, status: 418, want: history.AuthFailure},
		{name: "another than its own", signs: Signs{Statuses: []int{418}}, status: 401, want: history.Unavailable},
		{name: "forbidden by one whose refusal is another", signs: Signs{Statuses: []int{401}}, status: 403, want: history.OK},
		{name: "forbidden by one that refuses in its body", signs: Signs{Body: "invalid_token"}, status: 403, body: "not yours", want: history.OK},
		{name: "refused in the body of a 403", signs: Signs{Body: "invalid_token"}, status: 403, body: "invalid_token", want: history.AuthFailure},
		{name: "a bad request", signs: Signs{Statuses: []int{401}}, status: 400, want: history.Unavailable},
		{name: "to the login", signs: Signs{Header: "Location: /login"}, status: 302, header: http.Header{"Location": {"/login?from=/"}}, want: history.AuthFailure},
		{name: "to somewhere else", signs: Signs{Header: "Location: /login"}, status: 302, header: http.Header{"Location": {"/"}}, want: history.OK},
		{name: "in a 200", signs: Signs{Body: `"errors":.*UNAUTHENTICATED`}, status: 200, body: `{"errors":[{"code":"UNAUTHENTICATED"}]}`, want: history.AuthFailure},
		{name: "a good 200", signs: Signs{Body: `"errors":.*UNAUTHENTICATED`}, status: 200, body: `{"data":{}}`, want: history.OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := New(tt.signs)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Outcome(tt.status, tt.header, []byte(tt.body)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, signs := range []Signs{{Header: "Location"}, {Header: "Location: ("}, {Body: "["}} {
		if _, err := New(signs); err == nil {
			t.Errorf("%+v was taken, want an error", signs)
		}
	}
}
