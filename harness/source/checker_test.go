package source

import "testing"

func TestCheckerDoesNotRepeat(t *testing.T) {
	document := parsed(t, "a", "title: a\nspeed: 5\none: {name: x, mayn: 2}\n")
	var w example
	c := NewChecker(document, Decode(document, &w))
	c.Report("speed", "", "is 0, which comes of not having been read")
	c.Report("one.name", "", "is wrong by itself")
	c.Report("one.many", "", "is missing by itself")
	want := "a:2:8: speed: 5 is slow (write fast)\n" +
		"a:3:6: one.many: is missing by itself\n" +
		"a:3:13: one.name: is wrong by itself\n" +
		"a:3:16: one: unknown key \"mayn\" (did you mean \"many\"?)"
	if err := c.Problems().Err(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if !c.Has("one.name") || c.Has("one.many") || c.Has("nothing.here") {
		t.Errorf("Has: got %v %v %v, want true false false", c.Has("one.name"), c.Has("one.many"), c.Has("nothing.here"))
	}
}
