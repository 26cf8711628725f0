package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody is Vault's default for max_request_size, in bytes.
const maxBody = 32 << 20

// fields are the members of a request's JSON body; numbers are json.Number.
type fields map[string]any

// readFields reads the body of a request, or says why it cannot. Vault answers
// 500 to what is no JSON and 400 to JSON that is no object.
func readFields(w http.ResponseWriter, r *http.Request) (fields, *response) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, refuse(http.StatusRequestEntityTooLarge, err.Error())
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if err := wellFormed(body); err != nil {
		return nil, refuse(http.StatusInternalServerError, err.Error())
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, refuse(http.StatusBadRequest, "error parsing JSON: failed to parse JSON input: "+vaultWords(err))
	}
	return m, nil
}

// wellFormed walks over a JSON object or list token by token, as Vault does
// before it parses a body, and says what is wrong in Vault's words.
func wellFormed(body []byte) error {
	if b := bytes.TrimSpace(body)[0]; b != '{' && b != '[' {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	for depth, first := 0, true; depth > 0 || first; first = false {
		t, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			return errors.New("malformed JSON, unclosed containers")
		case err != nil:
			if !strings.Contains(err.Error(), "looking for") {
				return fmt.Errorf("%w looking for beginning of value", err)
			}
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	rest := bytes.TrimSpace(body[dec.InputOffset():])
	if len(rest) > 0 {
		return fmt.Errorf("invalid character %q after top-level value", rest[0])
	}
	return nil
}

// vaultWords gives a decoding error the form in which Vault, whose Go calls any
// by its old name, shows it.
func vaultWords(err error) string {
	return strings.ReplaceAll(err.Error(), "map[string]any", "map[string]interface {}")
}

// has reports whether the body had a field at all.
func (f fields) has(name string) bool { _, ok := f[name]; return ok }

// unknown lists the fields that are none of those known, sorted.
func (f fields) unknown(known ...string) []string {
	var names []string
	for name := range f {
		if !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// text reads a string, or a number as its text.
func (f fields) text(name string) string {
	switch v := f[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// truth reads a boolean; what is none is the default.
func (f fields) truth(name string, otherwise bool) bool {
	if v, ok := f[name].(bool); ok {
		return v
	}
	return otherwise
}

// list reads a list of strings; a single string is a list of one.
func (f fields) list(name string) []string {
	switch v := f[name].(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// object reads a map. A missing one is nil, and an empty list an empty map.
func (f fields) object(name string) (map[string]any, error) {
	v := f[name]
	at := ""
	if l, ok := v.([]any); ok {
		if len(l) == 0 {
			return map[string]any{}, nil
		}
		v, at = l[0], "[0]"
	}
	kind := "string" // which json.Number is too
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	case bool:
		kind = "bool"
	}
	return nil, fmt.Errorf("error converting input for field %q: '%s' expected a map, got '%s'", name, at, kind)
}

// versions reads version numbers: a list, one alone, or several with commas.
func (f fields) versions() ([]int, error) {
	var texts []string
	switch v := f["versions"].(type) {
	case json.Number:
		texts = []string{v.String()}
	case string:
		texts = strings.Split(v, ",")
	case []any:
		for _, e := range v {
			texts = append(texts, fmt.Sprint(e))
		}
	}
	var all []int
	for i, t := range texts {
		n, err := strconv.ParseInt(strings.TrimSpace(t), 0, 0)
		if err != nil {
			//lint:ignore ST1005 clients see these words, and they are Vault's
			return nil, fmt.Errorf("Field validation failed: error converting input for field \"versions\": 1 error(s) decoding:\n\n* cannot parse '[%d]' as int: %w", i, err)
		}
		all = append(all, int(n))
	}
	return all, nil
}

// span reads a length of time: "90s", "1h", or a number of seconds.
func (f fields) span(name string) (time.Duration, error) {
	t := f.text(name)
	if t == "" {
		return 0, nil
	}
	if n, err := strconv.ParseInt(t, 10, 32); err == nil {
		t = strconv.FormatInt(n, 10) + "s"
	}
	d, err := time.ParseDuration(t)
	if err != nil {
		return 0, err
	}
	if d < 0 {
		return 0, fmt.Errorf("%s must be positive", name)
	}
	return d, nil
}

// checkAndSet reads options.cas as weakly as Vault does; given is false where
// there is none.
func (f fields) checkAndSet() (cas int, given bool, err error) {
	options, err := f.object("options")
	if err != nil {
		return 0, false, err
	}
	v, given := options["cas"]
	if !given {
		return 0, false, nil
	}
	text := ""
	switch v := v.(type) {
	case nil:
	case bool:
		if v {
			text = "1"
		}
	case string:
		text = v
	case json.Number:
		text = v.String()
	default:
		return 0, true, errCASForm
	}
	if text == "" {
		return 0, true, nil
	}
	n, err := strconv.ParseInt(text, 0, 0)
	if err != nil {
		return 0, true, errCASForm
	}
	return int(n), true, nil
}

// The errors of check-and-set, in Vault's words: clients look for them.
var (
	errCASForm  = errors.New("error parsing check-and-set parameter")
	errCASOther = errors.New("check-and-set parameter did not match the current version")
)
