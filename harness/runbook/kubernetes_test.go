package runbook

import (
	"strings"
	"testing"
	"testing/fstest"
)

// What is said of a volume is refused where there is none, and of a key set nothing
// is mounted.
func TestCheckMounted(t *testing.T) {
	blank, _ := New("webhook-secret")
	for _, tt := range []struct{ name, old, new, want string }{
		{"a volume", "distribution: poll ", "distribution: secret-volume ", ""},
		{"an immutable ConfigMap", "distribution: poll ", "distribution: config-map\n  immutable: true ", ""},
		{"by subPath", "distribution: poll ", "distribution: secret-volume ", ""},
		{"what no store has immutable", "distribution: poll ", "distribution: poll\n  immutable: true ", "storage.immutable: is for distribution secret-volume and config-map (leave it out)"},
		{"subPath of nothing", "refresh: 1m ", "sub_path: true\n    refresh: 1m ", "consumers[1].sub_path: is for distribution secret-volume and config-map (leave it out)"},
		{"a way that there is not", "distribution: poll ", "distribution: secret-volumes ", `storage.distribution: unknown value "secret-volumes" (did you mean "secret-volume"?)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(string(blank), tt.old, tt.new, 1)
			if text == string(blank) {
				t.Fatalf("the page has no %q", tt.old)
			}
			_, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, "p.yaml")
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasSuffix(err.Error(), tt.want)) {
				t.Errorf("got  %v\nwant …%s", err, tt.want)
			}
		})
	}
	jwt, _ := New("jwt-signing-key")
	text := strings.Replace(string(jwt), "distribution: jwks", "distribution: secret-volume", 1)
	if _, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, "p.yaml"); err == nil || !strings.Contains(err.Error(), `"secret-volume" is not built for family jwt-signing-key (takes jwks)`) {
		t.Errorf("a key set that is mounted: got %v", err)
	}
}
