package source

import (
	"reflect"
	"testing"
)

type speed int

func (s *speed) UnmarshalText(text []byte) error {
	if string(text) != "fast" {
		return &Invalid{Message: string(text) + " is slow", Hint: "write fast"}
	}
	*s = 100
	return nil
}

type part struct {
	Name string `yaml:"name"`
	Many int    `yaml:"many,omitempty"`
}

type inside struct {
	Deep string `yaml:"deep,omitempty"`
}

type example struct {
	Title    string          `yaml:"title"`
	Share    float64         `yaml:"share,omitempty"`
	On       bool            `yaml:"on,omitempty"`
	Speed    speed           `yaml:"speed,omitempty"`
	Maybe    *speed          `yaml:"maybe,omitempty"`
	One      part            `yaml:"one,omitempty"`
	Parts    []part          `yaml:"parts,omitempty"`
	Named    map[string]part `yaml:"named,omitempty"`
	Anything map[string]any  `yaml:"anything,omitempty"`
	inside   `yaml:",inline"`
	hidden   string
}

func TestDecode(t *testing.T) {
	var got example
	problems := Decode(parsed(t, "a", `
title: all
share: 2
on: true
speed: fast
maybe: fast
one: {name: x, many: 3}
parts: [{name: y}]
named: {z: {name: z}}
anything: {a: [1, null, {b: 1.5}]}
deep: down
`), &got)
	fast := speed(100)
	want := example{
		Title: "all", Share: 2, On: true, Speed: 100, Maybe: &fast, One: part{"x", 3}, Parts: []part{{"y", 0}},
		Named: map[string]part{"z": {"z", 0}}, Anything: map[string]any{"a": []any{uint64(1), nil, map[string]any{"b": 1.5}}},
		inside: inside{"down"},
	}
	if err := problems.Err(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got.hidden != "" {
		t.Errorf("a field without a tag was set to %q", got.hidden)
	}
}

func TestDecodeTellsAll(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown keys at two depths", "title: a\ntilte: b\none:\n  name: x\n  mayn: 1\n",
			"a:2:1: unknown key \"tilte\" (did you mean \"title\"?)\na:5:3: one: unknown key \"mayn\" (did you mean \"many\"?)"},
		{"missing", "on: true\nparts: [{many: 1}]\n", "a:1:1: title: is missing\na:2:9: parts[0].name: is missing"},
		{"null is missing", "title:\nparts: ~\n", "a:1:1: title: has no value"},
		{"empty is missing", "title: ''\n", "a:1:8: title: is empty"},
		{"its own text", "title: a\nspeed: 5\nmaybe: [1]\n", "a:2:8: speed: 5 is slow (write fast)\na:3:8: maybe: want one value, got a list"},
		{"types", "title: 5\nshare: x\non: 1\none: 3\nparts: {}\nnamed: []\n",
			"a:1:8: title: want text, got the number 5 (quote it: \"5\")\n" +
				"a:2:8: share: want a number, got the text \"x\"\n" +
				"a:3:5: on: want a boolean, got the number 1 (true or false)\n" +
				"a:4:6: one: want a mapping, got the number 3\n" +
				"a:5:8: parts: want a list, got a mapping (write it in [brackets])\n" +
				"a:6:8: named: want a mapping, got a list"},
		{"numbers", "title: a\nshare: .inf\none: {name: x, many: 1.5}\nparts: [{name: x, many: 99999999999999999999}]\n",
			"a:2:8: share: want a number, got the number .inf\n" +
				"a:3:22: one.many: want a whole number, got the number 1.5\n" +
				"a:4:25: parts[0].many: want a whole number, got the text \"99999999999999999999\""},
		{"nothing in a list", "title: a\nparts: [~]\n", "a:2:9: parts[0]: has no value"},
		{"a list at the top", "- a\n", "a:1:1: want a mapping, got a list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Decode(parsed(t, "a", tt.text), &example{}).Err()
			if err == nil || err.Error() != tt.want {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

func TestCheckPatch(t *testing.T) {
	patch := parsed(t, "a", "titel: ~\none: {many: 1, nmae: ~}\nparts: [{many: 1}]\nshare: x\n")
	want := "a:1:1: unknown key \"titel\" (did you mean \"title\"?)\n" +
		"a:2:16: one: unknown key \"nmae\" (did you mean \"name\"?)\n" +
		"a:3:9: parts[0].name: is missing\n" +
		"a:4:8: share: want a number, got the text \"x\""
	if err := CheckPatch(patch, &example{}).Err(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
