package source

import (
	"encoding/json"
	"testing"
)

// The examples of RFC 7396, appendix A, as far as YAML can say them at the top.
func TestMergeAppendixA(t *testing.T) {
	tests := []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.target+" "+tt.patch, func(t *testing.T) {
			target := parsed(t, "target", tt.target)
			got, err := json.Marshal(Merge(target, parsed(t, "patch", tt.patch)).Interface())
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
			if unchanged, err := json.Marshal(target.Interface()); err != nil || string(unchanged) != tt.target {
				t.Errorf("the target is now %s, %v, want it as it was: %s", unchanged, err, tt.target)
			}
		})
	}
}

func TestMergeKeepsPositions(t *testing.T) {
	merged := Merge(parsed(t, "page.yaml", "rollout:\n  lead: 16m\n  watch: 20m\n"), parsed(t, "scenario.yaml", "\n\nrollout: {lead: 5m}\n"))
	for path, want := range map[string]string{"rollout.lead": "scenario.yaml:3:17", "rollout.watch": "page.yaml:3:10", "rollout": "page.yaml:2:3"} {
		if got, _ := merged.At(path); got.Position.String() != want {
			t.Errorf("%s: got %v, want %s", path, got.Position, want)
		}
	}
}

func TestComposeIsOneAfterTheOther(t *testing.T) {
	page := `{"a":{"b":1,"c":2},"d":3}`
	tests := []struct{ name, first, second string }{
		{"null after a value", `{"a":{"b":9}}`, `{"a":{"b":null}}`},
		{"a value after null", `{"a":{"b":null}}`, `{"a":{"b":9}}`},
		{"null only in the second", `{"d":4}`, `{"a":{"c":null}}`},
		{"null only in the first", `{"a":null}`, `{"d":5}`},
		{"a list", `{"d":[1]}`, `{"d":[2]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first, second := parsed(t, "1", tt.first), parsed(t, "2", tt.second)
			one, err := Merge(Merge(parsed(t, "p", page), first), second).Digest()
			if err != nil {
				t.Fatal(err)
			}
			both, err := Merge(parsed(t, "p", page), Compose(first, second)).Digest()
			if err != nil || one != both {
				t.Errorf("composed gives %s, %v, one after the other %s", both, err, one)
			}
		})
	}
}
