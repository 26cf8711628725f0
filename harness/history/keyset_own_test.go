package history

import "testing"

// TestOtherKey: a key that is named by its thumbprint tells whether it is the one that the run made.
func TestOtherKey(t *testing.T) {
	const kid = "LCOaLm-tE5PCs5z9vrEuIJm3pF06UHxca0F8lnvupJk"
	for name, tt := range map[string]struct {
		set  *KeySet
		want bool
	}{
		"no set":                       {nil, false},
		"not in it":                    {&KeySet{Keys: []Key{{Kid: kid, Credential: "k1", Print: "933701d4"}}}, false},
		"that key":                     {&KeySet{Keys: []Key{{Kid: kid, Credential: "k2", Print: "2c239a2e"}}}, false},
		"another":                      {&KeySet{Keys: []Key{{Kid: kid, Credential: "k2", Print: "933701d4"}}}, true},
		"under a name that says less":  {&KeySet{Keys: []Key{{Kid: "main-2", Credential: "k2", Print: "933701d4"}}}, false},
		"of a type with no such print": {&KeySet{Keys: []Key{{Kid: kid, Credential: "k2"}}}, false},
	} {
		if got := tt.set.OtherKey("k2"); got != tt.want {
			t.Errorf("%s: got %t, want %t", name, got, tt.want)
		}
	}
}
