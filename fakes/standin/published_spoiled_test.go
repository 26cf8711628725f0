package standin

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestSpoiledSecrets(t *testing.T) {
	document := func(tags ...string) []byte {
		keys := []any{}
		for _, tag := range tags {
			keys = append(keys, map[string]any{"tag": tag, "value": "whsec_" + tag + "-0123456789abcdef"})
		}
		encoded, err := json.Marshal(map[string]any{"emit": tags[0], "keys": keys})
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	type entry struct{ Tag, Value string }
	for _, tt := range []struct {
		how   string
		wants func(was, is string) bool
	}{
		{"newline", func(was, is string) bool { return is == was+"\n" }},
		{"truncated", func(was, is string) bool { return is == was[:len(was)-cutOff] }},
		{"base64", func(was, is string) bool { return is == base64.StdEncoding.EncodeToString([]byte(was)) }},
		{"quoted", func(was, is string) bool { return is == `"`+was+`"` }},
		{"foreign", func(was, is string) bool { return is != was && len(is) == len(was) && strings.HasPrefix(is, "whsec_") }},
	} {
		t.Run(tt.how, func(t *testing.T) {
			var s spoiler
			read := func(content []byte, version int) (keys map[string]string, as int) {
				t.Helper()
				out, as, err := s.passed(content, version)
				var read struct{ Keys []entry }
				if err == nil {
					err = json.Unmarshal(out, &read)
				}
				if err != nil {
					t.Fatal(err)
				}
				keys = map[string]string{}
				for _, e := range read.Keys {
					keys[e.Tag] = e.Value
				}
				return keys, as
			}
			clean, first := read(document("v1"), 1)
			s.set(contract.OrderValue, tt.how)
			spoiled, second := read(document("v1", "v2"), 2)
			again, _ := read(document("v1", "v2"), 2)
			s.set(contract.OrderValue, "")
			mended, third := read(document("v1", "v2"), 2)
			if spoiled["v1"] != clean["v1"] || !tt.wants(mended["v2"], spoiled["v2"]) || again["v2"] != spoiled["v2"] {
				t.Errorf("got %q, want only what is new spoiled, in the same way each time", spoiled)
			}
			if first == second || second == third {
				t.Errorf("versions: got %d, %d, %d, want another one whenever what is read changes", first, second, third)
			}
		})
	}
}
