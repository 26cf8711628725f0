package historytest

import (
	"slices"
	"testing"
)

func TestMutate(t *testing.T) {
	const file = `{"a":1,"b":{"c":[2,3]}}` + "\n" + `{"d":4}` + "\n"
	for _, tt := range []struct {
		name  string
		edits []byte
		want  string
	}{
		{"nothing", nil, file},
		{"half an edit", []byte{0, 0, 0}, file},
		{"a line left out", []byte{1, 0, 0, 0}, `{"a":1,"b":{"c":[2,3]}}` + "\n"},
		{"a line doubled", []byte{1, 1, 0, 0}, file + `{"d":4}` + "\n"},
		{"lines exchanged", []byte{0, 2, 1, 0}, `{"d":4}` + "\n" + `{"a":1,"b":{"c":[2,3]}}` + "\n"},
		{"a key taken away", []byte{0, 3, 0, 0}, `{"b":{"c":[2,3]}}` + "\n" + `{"d":4}` + "\n"},
		{"a key that is null", []byte{0, 3, 1, 1}, `{"a":1,"b":null}` + "\n" + `{"d":4}` + "\n"},
		{"a value deep inside", []byte{0, 3, 4, 3}, `{"a":1,"b":{"c":[2,-1]}}` + "\n" + `{"d":4}` + "\n"},
		{"an element taken away", []byte{0, 3, 3, 0}, `{"a":1,"b":{"c":[3]}}` + "\n" + `{"d":4}` + "\n"},
		{"all lines left out", []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Mutate([]byte(file), tt.edits)); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
	if got := string(Mutate([]byte("no JSON\n"), []byte{0, 0, 0, 0})); got != "no JSON\n" {
		t.Errorf("of what is no JSON: got %q, want it as it was", got)
	}
}

// TestMutateIsItsOwn: what one edit puts in is not changed by the next, nor does it get into itself.
func TestMutateIsItsOwn(t *testing.T) {
	list := byte(slices.IndexFunc(replacements, func(v any) bool { l, is := v.([]any); return is && len(l) == 2 }))
	const want = `{"a":[["k1",null],null]}` + "\n"
	for range 2 { // the second time as the first
		if got := string(Mutate([]byte(`{"a":1}`+"\n"), []byte{0, 5, 0, list, 0, 5, 1, list})); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
