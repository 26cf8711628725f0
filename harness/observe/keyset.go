package observe

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// maxETag bounds how much of an ETag is kept: enough to tell two apart.
const maxETag = 80

// maxAnswer bounds how much of an answer is read.
const maxAnswer = 1 << 20

// printLength is how many bytes of a fingerprint are kept: enough to tell two
// keys apart, and nothing to find one by.
const printLength = 4

// looker makes a new connection for every look, so that behind a balancer every
// replica has its turn, and takes no proxy of the surrounding shell.
var looker = &http.Client{Transport: certs.Trusting(&http.Transport{DisableKeepAlives: true})}

// KeySet looks at a key set once (RFC 7517 §5).
func KeySet(ctx context.Context, url string) history.KeySet {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	begin := time.Now()
	status, header, body := get(ctx, url)
	etag := header.Get("ETag")
	set := history.KeySet{Status: status, ETag: etag[:min(len(etag), maxETag)], Took: history.Offset(time.Since(begin).Truncate(time.Microsecond))}
	if status == history.StatusSet {
		var ok bool
		if set.Keys, ok = parse(body); !ok {
			set.Status = history.StatusUnreadable
		}
		set.Kept, set.OnError = copies(header)
	}
	return set
}

// copies is for how long a cache that answered may serve its copy, and how much longer while it gets no other. Of an
// answer without an Age (RFC 9111 §5.1) nobody knows that one is there: what its Cache-Control allows is 0 then.
func copies(header http.Header) (kept, onError history.Offset) {
	if header.Get("Age") == "" {
		return 0, 0
	}
	seconds := map[string]int64{}
	for _, value := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(value, ",") {
			name, text, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
			if n, err := strconv.ParseInt(strings.Trim(text, `"`), 10, 32); err == nil && n >= 0 {
				seconds[name] = n
			}
		}
	}
	fresh, shared := seconds["s-maxage"]
	if !shared {
		fresh = seconds["max-age"]
	}
	of := func(n int64) history.Offset { return history.Offset(time.Duration(n) * time.Second) }
	return of(fresh + seconds["stale-while-revalidate"]), of(seconds["stale-if-error"])
}

// get returns the header of an answer, or an empty one.
func get(ctx context.Context, url string) (status string, header http.Header, body []byte) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "error", nil, nil
	}
	req.Header.Set("User-Agent", Agent)
	resp, err := looker.Do(req)
	if err != nil {
		return unanswered(err), nil, nil
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return unanswered(err), nil, nil
	}
	return strconv.Itoa(resp.StatusCode), resp.Header, body
}

// unanswered names why there was no answer, in the words of the load's counts.
func unanswered(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "refused"
	}
	if failed, ok := errors.AsType[net.Error](err); ok && failed.Timeout() {
		return "timeout"
	}
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "reset"
	}
	return "error"
}

// parse reads what the keys of a set are; false where it is none.
func parse(body []byte) ([]history.Key, bool) {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || set.Keys == nil {
		return nil, false
	}
	keys := make([]history.Key, 0, len(set.Keys))
	for _, members := range set.Keys {
		text := func(name string) string { s, _ := members[name].(string); return s }
		keys = append(keys, history.Key{
			Kid: text("kid"), Thumbprint: thumbprint(members), Kty: text("kty"), Alg: text("alg"), Use: text("use"), Crv: text("crv"), Print: fingerprint(members),
		})
	}
	return keys, true
}

// thumbprint is that of a key that has no kid (RFC 7638 §3); "" of another, or of a type
// that is not known.
func thumbprint(members map[string]any) string {
	required := map[any][]string{"EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}, "RSA": {"e", "kty", "n"}}[members["kty"]]
	if kid, _ := members["kid"].(string); kid != "" || required == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(digest(members, required...))
}

// fingerprint is a hash over the members that are the public key itself, whatever
// else is said of it: those of RFC 7638 §3.2, RFC 8037 and of ML-DSA.
func fingerprint(members map[string]any) string {
	return hex.EncodeToString(digest(members, "crv", "e", "kty", "n", "pub", "x", "y")[:printLength])
}

// digest is a hash over some members of a key, those that it has (RFC 7638 §3.3).
func digest(members map[string]any, names ...string) []byte {
	material := map[string]any{}
	for _, name := range names {
		if value, has := members[name]; has {
			material[name] = value
		}
	}
	canonical, _ := json.Marshal(material) // keys sorted; what was decoded from JSON can be encoded
	sum := sha256.Sum256(canonical)
	return sum[:]
}
