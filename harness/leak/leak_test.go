package leak

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secret has what each of the encodings must change.
const secret = "-----BEGIN KEY-----\nq/9+<&>\"%  ü=\n-----END KEY-----"

func TestCountFindsEveryForm(t *testing.T) {
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(secret); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, text string }{
		{"raw", "a line with " + secret + " in it"},
		{"base64", base64.StdEncoding.EncodeToString([]byte(secret))},
		{"base64 unpadded", base64.RawStdEncoding.EncodeToString([]byte(secret))},
		{"base64 for URLs", base64.URLEncoding.EncodeToString([]byte(secret))},
		{"base64 for URLs unpadded", base64.RawURLEncoding.EncodeToString([]byte(secret))},
		{"base64 behind one byte", base64.StdEncoding.EncodeToString([]byte(":" + secret))},
		{"base64 behind a user's name", base64.StdEncoding.EncodeToString([]byte("user:" + secret + "\n"))},
		{"hex", hex.EncodeToString([]byte(secret))},
		{"upper-case hex", strings.ToUpper(hex.EncodeToString([]byte(secret)))},
		{"in a query", "?q=" + url.QueryEscape(secret)},
		{"in a path", "/" + url.PathEscape(secret) + "/"},
		{"in JSON", string(quoted)},
		{"in JSON that is not for HTML", plain.String()},
	}
	scanner := New([]string{secret})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := scanner.Count([]byte(test.text)); got != 1 {
				t.Errorf("got %d hits in %q, want 1", got, test.text)
			}
			hidden := scanner.Mask(test.text)
			if got := scanner.Count([]byte(hidden)); got != 0 || strings.Count(hidden, masked) != 1 {
				t.Errorf("masked: got %q with %d hits, want none", hidden, got)
			}
		})
	}
}

func TestCount(t *testing.T) {
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"
	header, claims, _ := strings.Cut(token, ".")
	tests := []struct {
		name, text string
		want       int64
	}{
		{"nothing", "", 0},
		{"other text", strings.Repeat("a line without anything\n", 100), 0},
		{"most of a secret", secret[:len(secret)-1], 0},
		{"a secret twice", secret + secret, 2},
		{"a secret that begins before the text", secret[20:] + strings.Repeat("x", 20), 0},
		{"two secrets", secret + " another secret", 2},
		{"a secret that is too short", "short", 0},
		{"a bearer token", "Authorization: Bearer " + token, 1},
		{"a token's header", header, 0},
		{"a token without signature", header + "." + claims[:strings.Index(claims, ".")], 0},
	}
	scanner := New([]string{secret, "another secret", "short", secret})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := scanner.Count([]byte(test.text)); got != test.want {
				t.Errorf("got %d hits, want %d", got, test.want)
			}
		})
	}
}

// A secret may be too short to be looked for as it is, and its longer forms not.
func TestShortSecrets(t *testing.T) {
	const eight, four = "p&ssw0rd", "1234"
	scanner := New([]string{secret, eight, four, "", eight})
	for text, want := range map[string]int64{
		eight:                               0,
		hex.EncodeToString([]byte(eight)):   1,
		"=" + url.QueryEscape(eight):        0, // of ten bytes
		`{"p":"p\u0026ssw0rd"}`:             1,
		hex.EncodeToString([]byte(four)):    0,
		strings.Repeat(four+" "+eight, 100): 0,
	} {
		if got := scanner.Count([]byte(text)); got != want {
			t.Errorf("%s: got %d hits, want %d", text, got, want)
		}
	}
	if got := scanner.Short(); got != 2 {
		t.Errorf("too short: got %d, want the two that are", got)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth.log")
	if err := os.WriteFile(path, []byte("x "+secret), 0o600); err != nil {
		t.Fatal(err)
	}
	scanner := New([]string{secret})
	hits, searched, err := scanner.File(path)
	if want := int64(len(secret) + 2); hits != 1 || searched != want || err != nil {
		t.Errorf("got %d hits in %d bytes, %v; want 1 in %d", hits, searched, err, want)
	}
	if _, _, err := scanner.File(path + ".not"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that there is no such file", err)
	}
}

func TestMask(t *testing.T) {
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"
	first, second := "the-first-of-two-secrets", "the-second-of-two-secrets"
	scanner := New([]string{first, second})
	for text, want := range map[string]string{
		"":                               "",
		"nothing in it":                  "nothing in it",
		first:                            masked,
		"a " + first + second + " b":     "a " + masked + masked + " b",
		second + " and " + first:         masked + " and " + masked,
		"Authorization: Bearer " + token: "Authorization: Bearer " + masked,
	} {
		if got := scanner.Mask(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestMaskParts: a program that quotes a URL wrongly tells what stands behind the
// character at which it cut it.
func TestMaskParts(t *testing.T) {
	s := New([]string{`whsec_abcdefghijklm@nopq/rst$uv"w x`, "AbcdefghijklmnopqrstuvwxyZ"})
	for text, want := range map[string]string{
		`cannot parse "nopq/rst$uv"w x@db:5432"`:  `cannot parse "[secret]@db:5432"`,
		`invalid: \"rst$uv\"w x@127.0.0.1\" next`: `invalid: \"[secret]@127.0.0.1\" next`,
		"nopq is short, and mnopqrst of another":  "nopq is short, and mnopqrst of another",
		"whsec_abcdef is how it begins":           "whsec_abcdef is how it begins",
	} {
		if got := s.Mask(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
