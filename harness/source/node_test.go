package source

import "testing"

func TestAtFallsBack(t *testing.T) {
	n := parsed(t, "a.yaml", "a:\n  b: [1]\n")
	for path, want := range map[string]string{
		"a.c": "a.yaml:2:3", "a.b[4].x": "a.yaml:2:6", "z": "a.yaml:1:1", "a.b[x]": "a.yaml:2:6", "a.b[-1]": "a.yaml:2:6",
	} {
		if got, found := n.At(path); found || got.Position.String() != want {
			t.Errorf("At(%q): got %v, found %v, want %s, not found", path, got.Position, found, want)
		}
	}
}

func TestDigest(t *testing.T) {
	digest := func(text string) string {
		d, err := parsed(t, "a", text).Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	// echo -n '{"a":[1,"x"],"b":true}' | sha256sum
	const want = "c817ea2211dc960ff318c03b8414e1c9f63f6010af61d11cca0cf7f920ac9dae"
	block, flow := digest("b: true\na:\n  - 1\n  - x\n"), digest("{a: [1, \"x\"], b: true}")
	if block != flow {
		t.Errorf("the same content laid out otherwise: got %s and %s, want the same", block, flow)
	}
	if block != want {
		t.Errorf("got %s, want %s", block, want)
	}
	if other := digest("{a: [1, y], b: true}"); other == block {
		t.Errorf("other content has the same digest %s", other)
	}
}
