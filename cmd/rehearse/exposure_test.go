package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exposed searches text for values. It does what the scan of a run does not: it
// decodes the text and looks for the values in what comes out, where the scan
// encodes the values and looks for those. What one of them overlooks, the other
// may find.
//
// It returns what was found, as the name of a value and the way in which it was
// written; never the value.
func exposed(data []byte, values map[string]string) []string {
	var found []string
	for how, view := range views(data) {
		decoded, bearer := decode(view)
		if bearer {
			found = append(found, "a bearer token "+how)
		}
		for name, value := range values {
			if bytes.Contains(view, []byte(value)) {
				found = append(found, name+" "+how)
			}
			if bytes.Contains(decoded, []byte(value)) {
				found = append(found, name+" "+how+", encoded")
			}
		}
	}
	slices.Sort(found)
	return found
}

// views are what a text may be read as before it is decoded; those that are
// another one again are left out.
func views(data []byte) map[string][]byte {
	all := map[string][]byte{"as it is": data}
	add := func(how string, view []byte) {
		for _, other := range all {
			if bytes.Equal(view, other) {
				return
			}
		}
		all[how] = view
	}
	plain := unescape(data)
	add("in JSON", plain)
	add("in a URL", fromPercent(data))
	add("in a query", fromPercent(bytes.ReplaceAll(data, []byte("+"), []byte(" "))))
	add("in broken lines", bytes.ReplaceAll(bytes.ReplaceAll(plain, []byte("\r"), nil), []byte("\n"), nil))
	return all
}

// unescape takes away the escapes of JSON's strings.
func unescape(data []byte) []byte {
	var out []byte
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 || i+1 == len(data) {
			return append(out, data...)
		}
		length := 2
		if data[i+1] == 'u' {
			length = min(6, len(data)-i)
		}
		sequence := data[i : i+length]
		var text string
		if json.Unmarshal([]byte(`"`+string(sequence)+`"`), &text) != nil {
			text = string(sequence)
		}
		out, data = append(append(out, data[:i]...), text...), data[i+length:]
	}
}

// fromPercent decodes what is escaped for URLs.
func fromPercent(data []byte) []byte {
	var out []byte
	for {
		i := bytes.IndexByte(data, '%')
		if i < 0 || i+3 > len(data) {
			return append(out, data...)
		}
		decoded, err := hex.DecodeString(string(data[i+1 : i+3]))
		length := 3
		if err != nil {
			decoded, length = data[i:i+1], 1
		}
		out, data = append(append(out, data[:i]...), decoded...), data[i+length:]
	}
}

// shortestWord is the least number of characters that may hold a value.
const shortestWord = 12

// decode decodes every word of text that may be base64 or hex, in both alphabets
// and from each place where a group may begin, into one text; and says whether
// three words that dots part are a JWT (RFC 7515 §3.1).
func decode(text []byte) (decoded []byte, bearer bool) {
	seen := map[string]bool{}
	parts := 0 // of a JWT that were seen in a row
	for from := 0; from < len(text); {
		to := from
		for to < len(text) && (isHex(text[to]) || text[to] >= 'G' && text[to] <= 'Z' || text[to] >= 'g' && text[to] <= 'z' ||
			strings.IndexByte("+/-_", text[to]) >= 0) {
			to++
		}
		word := string(text[from:to])
		if parts == 0 && isHeader(word) || parts > 0 && len(word) >= shortestWord {
			parts++
		} else {
			parts = 0
		}
		bearer = bearer || parts == 3
		if to == len(text) || text[to] != '.' {
			parts = 0
		}
		if len(word) >= shortestWord && !seen[word] {
			seen[word] = true
			decoded = append(append(decoded, fromBase64(word)...), fromHex(word)...)
		}
		from = to + 1
	}
	return decoded, bearer
}

// isHeader tells the header of a JWT.
func isHeader(word string) bool {
	if !strings.HasPrefix(word, "e") { // "{" in base64 is ew to e3
		return false
	}
	decoded, err := base64.RawURLEncoding.DecodeString(word)
	var fields map[string]any
	return err == nil && json.Unmarshal(decoded, &fields) == nil && fields["alg"] != nil
}

// fromBase64 decodes a word from each of the places where a group of four may begin.
func fromBase64(word string) []byte {
	var all []byte
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(word)
	for from := range 4 {
		part := standard[from:]
		if len(part)%4 == 1 {
			part = part[:len(part)-1]
		}
		if decoded, err := base64.RawStdEncoding.DecodeString(part); err == nil {
			all = append(append(all, decoded...), 0)
		}
	}
	return all
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// fromHex decodes what is hex in a word, from both places where a pair may begin.
func fromHex(word string) []byte {
	var all []byte
	for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return !isHex(byte(r)) }) {
		for from := range min(2, len(part)) {
			if decoded, err := hex.DecodeString(part[from : from+(len(part)-from)/2*2]); err == nil {
				all = append(append(all, decoded...), 0)
			}
		}
	}
	return all
}

// exposedIn searches the files of a folder, and returns what was found with the
// files' names, and the names of all files.
func exposedIn(t *testing.T, dir string, values map[string]string) (found, files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, filepath.ToSlash(name))
		for _, what := range exposed(data, values) {
			found = append(found, filepath.ToSlash(name)+": "+what)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, files
}

// writings are the ways in which a value may be written down.
func writings(value string) map[string]string {
	quoted, _ := json.Marshal(value) // a string can always be encoded
	encode := func(e *base64.Encoding) string { return e.EncodeToString([]byte(value)) }
	hexed := hex.EncodeToString([]byte(value))
	return map[string]string{
		"raw":              value,
		"base64":           encode(base64.StdEncoding),
		"base64 unpadded":  encode(base64.RawStdEncoding),
		"base64url":        encode(base64.URLEncoding),
		"base64url bare":   encode(base64.RawURLEncoding),
		"Basic":            base64.StdEncoding.EncodeToString([]byte("user:" + value)),
		"behind one byte":  base64.StdEncoding.EncodeToString([]byte("x" + value)),
		"hex":              hexed,
		"upper-case hex":   strings.ToUpper(hexed),
		"in a query":       url.QueryEscape(value),
		"in a path":        url.PathEscape(value),
		"in JSON":          string(quoted),
		"all percent":      "%" + strings.Join(pairs(hexed), "%"),
		"JSON's \\u":       strings.ReplaceAll(string(quoted), value[:1], fmt.Sprintf("\\u%04x", value[0])),
		"in a longer word": "token-" + base64.RawURLEncoding.EncodeToString([]byte(value)) + "-and-more",
		"broken lines":     encode(base64.StdEncoding)[:10] + "\n" + encode(base64.StdEncoding)[10:],
	}
}

func pairs(s string) []string {
	var all []string
	for pair := range slices.Chunk([]byte(s), 2) {
		all = append(all, string(pair))
	}
	return all
}

// TestExposed shows that the search finds a value however it is written, and
// nothing where there is none.
func TestExposed(t *testing.T) {
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"
	values := map[string]string{"k1": `q/9+<&>"% a value of some length ü=`, "bytes": "\x00\x01\xfe\xff and more of them"}
	clean := strings.Repeat(`{"kid": "bGV0dGVycyB0aGF0IGRlY29kZQ", "hex": "00112233445566778899aabbccddeeff"} `, 20)
	if got := exposed([]byte(clean), values); len(got) > 0 {
		t.Errorf("got %q in clean text, want nothing", got)
	}
	for name, value := range values {
		for how, written := range writings(value) {
			if name == "bytes" && strings.Contains(how, "JSON") {
				continue // bytes that are no text are not written so
			}
			if got := exposed([]byte(clean+written+clean), values); len(got) == 0 {
				t.Errorf("%s, %s: got nothing in %q, want it found", name, how, written)
			}
		}
	}
	if got := exposed([]byte("Authorization: Bearer "+token), values); !slices.Contains(got, "a bearer token as it is") {
		t.Errorf("got %q, want the bearer token found", got)
	}
}
