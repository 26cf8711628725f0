package delivery

import (
	"reflect"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/world"
)

func TestValues(t *testing.T) {
	v := Values{Speed: 60, StoreURL: "http://store", StorePath: "run/data/key", StoreToken: "s.1", file: "/secrets/secret.json"}
	for text, want := range map[string]string{
		"{{ .store.url }}/v1/{{.store.path}} {{ .store.token }}": "http://store/v1/run/data/key s.1",
		"{{ .secret.file }}":                       "/secrets/secret.json",
		"{{ .scaled.10m.ms }} {{ .scaled.10m.s }}": "10000 10",
		"{{ .scaled.1s.s }}":                       "1",
		"{{ .auth.url }} {{ .secret.value }}":      "{{ .auth.url }} {{ .secret.value }}",
	} {
		if got := v.in(text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	encoded := `{"emit":"v2","keys":[{"tag":"v1","value":"one"},{"tag":"v2","value":"two"}]}`
	secret := given(t, encoded)
	filled, asked := withSecret(map[string]string{"A": "key={{ .secret.value }}", "B": "{{ .secret.json }}", "C": "plain"}, secret)
	if want := map[string]string{"A": "key=two", "B": encoded}; !asked || !reflect.DeepEqual(filled, want) {
		t.Errorf("got %v, %t, want %v", filled, asked, want)
	}
	if filled, asked := withSecret(map[string]string{"C": "{{ .auth.url }}"}, secret); asked {
		t.Errorf("got %v for settings that ask for no secret", filled)
	}
}

func TestFill(t *testing.T) {
	spec := Values{StoreURL: "http://store", Speed: 1}.Fill(world.Spec{
		Command: []string{"run", "{{ .store.url }}"}, Folder: "/secrets/checkout",
		Environment: map[string]string{"FILE": "{{ .secret.file }}", "KEY": "{{ .secret.value }}"},
		Files:       map[string]string{"/etc/a": "{{ .auth.url }} {{ .scaled.2s.s }}"},
	})
	want := world.Spec{
		Command: []string{"run", "http://store"}, Folder: "/secrets/checkout",
		Environment: map[string]string{"FILE": "/secrets/checkout/secret.json", "KEY": "{{ .secret.value }}"},
		Files:       map[string]string{"/etc/a": "{{ .auth.url }} 2"},
	}
	if !reflect.DeepEqual(spec, want) {
		t.Errorf("got %+v, want %+v", spec, want)
	}
	if !Asks(spec, "secret") || Asks(spec, "store") {
		t.Error("want it to ask for the secret still, and no more for the store")
	}
}
