// Package refusal tells from an HTTP answer whether a credential was refused: by its status, by
// a header, or by what its body says; and what the statuses of databases mean.
package refusal

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Signs say how a service shows a refusal. The zero value is that of RFC 6750
// §3.1: the statuses 401 and 403.
type Signs struct {
	Statuses []int  `json:"statuses,omitempty"`
	Header   string `json:"header,omitempty"` // NAME: and a regular expression for its value
	Body     string `json:"body,omitempty"`   // a regular expression
}

// Reader reads answers by some Signs. It is safe for concurrent use.
type Reader struct {
	statuses []int
	name     string
	header   *regexp.Regexp // nil: none
	body     *regexp.Regexp // nil: none
}

// New reads Signs. Where they name neither statuses nor anything else, the
// statuses are 401 and 403; where they name a header or a body only, no status
// by itself is a refusal.
func New(s Signs) (*Reader, error) {
	r := &Reader{statuses: s.Statuses}
	if len(s.Statuses) == 0 && s.Header == "" && s.Body == "" {
		r.statuses = []int{http.StatusUnauthorized, http.StatusForbidden}
	}
	var err error
	if s.Header != "" {
		name, pattern, ok := strings.Cut(s.Header, ":")
		if !ok {
			return nil, fmt.Errorf("read the signs of a refusal: header %q is not NAME: PATTERN", s.Header)
		}
		r.name = strings.TrimSpace(name)
		if r.header, err = regexp.Compile(strings.TrimSpace(pattern)); err != nil {
			return nil, fmt.Errorf("read the signs of a refusal: header: %w", err)
		}
	}
	if s.Body != "" {
		if r.body, err = regexp.Compile(s.Body); err != nil {
			return nil, fmt.Errorf("read the signs of a refusal: body: %w", err)
		}
	}
	return r, nil
}

// NeedsBody reports whether the answer's body decides too.
func (r *Reader) NeedsBody() bool { return r.body != nil }

// Outcome is what an answer means to who sent the request. Whatever is neither
// a refusal nor a success (2xx, 3xx) is unavailable, 4xx included: the service
// was not had. But 403 of a service whose signs leave it out is an answer: it
// knows who asks, and forbids what is asked (RFC 9110 §15.5.4), which is no
// question of the credential.
func (r *Reader) Outcome(status int, header http.Header, body []byte) history.Outcome {
	switch {
	case slices.Contains(r.statuses, status),
		r.header != nil && slices.ContainsFunc(header.Values(r.name), r.header.MatchString),
		r.body != nil && r.body.Match(body):
		return history.AuthFailure
	case status >= 200 && status < 400, status == http.StatusForbidden:
		return history.OK
	}
	return history.Unavailable
}
