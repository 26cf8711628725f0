package contract

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strings"
)

// Call is how a provider is called, where that is not as stand-ins do it. The zero
// value is none.
type Call struct {
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Header is the one that has the key: NAME, or "NAME: SCHEME" where a word stands
	// before it, or "Cookie: session=" where the name of a value does (RFC 6265 §4.2.1).
	// With the scheme Basic (RFC 7617) it is the user, or the password of nobody.
	Header string `json:"header,omitempty"`
	// Answers and Refuses are the statuses of a call that was taken, and of one that
	// was refused.
	Answers int `json:"answers,omitempty"`
	Refuses int `json:"refuses,omitempty"`
}

// Key is the key that a request presents; "" where it presents none.
func (c Call) Key(r *http.Request) string {
	if c.Header == "" {
		return Bearer(r)
	}
	name, scheme, _ := strings.Cut(c.Header, ":")
	value := r.Header.Get(strings.TrimSpace(name))
	if scheme = strings.TrimSpace(scheme); scheme == "" {
		return value
	}
	if strings.HasSuffix(scheme, "=") {
		for pair := range strings.SplitSeq(value, ";") {
			if rest, ok := strings.CutPrefix(strings.TrimSpace(pair), scheme); ok {
				return rest
			}
		}
		return ""
	}
	said, rest, found := strings.Cut(value, " ")
	if !found || !strings.EqualFold(said, scheme) {
		return ""
	}
	if !strings.EqualFold(scheme, "Basic") {
		return rest
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return ""
	}
	user, password, _ := strings.Cut(string(decoded), ":")
	return cmp.Or(user, password)
}

// Present has a request carry a credential in a header that is said as Call.Header
// is; default is a bearer token (RFC 6750 §2.1).
func Present(h http.Header, header, credential string) {
	if header == "" {
		header = "Authorization: Bearer"
	}
	name, scheme, _ := strings.Cut(header, ":")
	switch scheme = strings.TrimSpace(scheme); {
	case strings.EqualFold(scheme, "Basic"):
		credential = scheme + " " + base64.StdEncoding.EncodeToString([]byte(credential+":"))
	case strings.HasSuffix(scheme, "="):
		credential = scheme + credential
	case scheme != "":
		credential = scheme + " " + credential
	}
	h.Set(strings.TrimSpace(name), credential)
}
