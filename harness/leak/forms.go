package leak

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

// forms are the ways in which a secret may be written.
func forms(secret string) []string {
	hexed := hex.EncodeToString([]byte(secret))
	all := []string{
		secret,
		hexed, strings.ToUpper(hexed),
		url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		inJSON(secret, true), inJSON(secret, false),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			all = append(all, inside(encoding, secret, before))
		}
	}
	return all
}

// inJSON is a secret inside of a JSON string. With html, <, > and & are escaped
// as encoding/json does unless told otherwise.
func inJSON(secret string, html bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	// A string can always be encoded, and a bytes.Buffer written to.
	_ = e.Encode(secret)
	return b.String()[1 : b.Len()-2] // without the quotes and the newline
}

// inside is what is always the same of a secret in base64 where a number of
// bytes stands before it and anything after it, as in Basic credentials: the
// characters that it alone decides. Without anything before it, and padded or
// not, the same characters are found.
func inside(encoding *base64.Encoding, secret string, before int) string {
	encoded := encoding.EncodeToString(append(make([]byte, before), secret...))
	from := (before*8 + 5) / 6
	to := (before + len(secret)) * 8 / 6
	return encoded[from:to]
}
