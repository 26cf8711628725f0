package launch

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/world"
)

var addresses = Addresses{
	"auth":     {Host: "auth", Port: 8080},
	"back-end": {Host: "127.0.0.1", Port: 40001},
}

func TestRender(t *testing.T) {
	tests := []struct{ name, text, want, err string }{
		{name: "plain", text: "http://example/{}", want: "http://example/{}"},
		{name: "url", text: "{{ .auth.url }}/jwks", want: "http://auth:8080/jwks"},
		{name: "no spaces", text: "{{.auth.host}}:{{.auth.port}}", want: "auth:8080"},
		{name: "dash in the name", text: "{{ .back-end.url }}", want: "http://127.0.0.1:40001"},
		{name: "unknown service", text: "{{ .aut.url }}", err: `"{{ .aut.url }}" names no service of this run: did you mean "auth"?`},
		{name: "unknown part", text: "{{ .auth.uri }}", err: `"{{ .auth.uri }}" asks for uri: a service has url, host and port`},
		{name: "no dot", text: "{{ auth.url }}", err: `cannot read "{{ auth.url }}"`},
		{name: "not closed", text: "a {{ .auth.url", err: `"{{ .auth.url" is not closed`},
		{name: "a function", text: `{{ printf "%1000d" 1 }}`, err: "cannot read"},
		{name: "not again in what was filled in", text: "{{ .auth.url }}{{ .auth.port }}", want: "http://auth:80808080"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := addresses.Render(tt.text)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("Render(%q): got error %v; want %q", tt.text, err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("Render(%q): got %q, %v; want %q", tt.text, got, err, tt.want)
			}
		})
	}
}

// told is the configuration of a stand-in that is made up.
type told struct {
	Token   string   `json:"token,omitempty"`
	Seed    int64    `json:"seed,omitempty"`
	Clients []client `json:"clients,omitempty"`
	Nested  struct {
		List []string `json:"list,omitempty"`
	} `json:"nested,omitzero"`
}

type client struct {
	URL  string  `json:"url"`
	Rate float64 `json:"rate"`
}

// Serves is a name that no stand-in has.
func (*told) Serves() string { return "made-up" }

func TestConfigRendersEveryString(t *testing.T) {
	config := &told{Seed: 9007199254740993 /* more than a float64 holds */, Clients: []client{{URL: "{{ .auth.url }}/a", Rate: 0.5}}}
	config.Nested.List = []string{"x", "{{ .back-end.port }}"}
	got, err := addresses.Config(world.Spec{Name: "load", Config: config})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"seed":9007199254740993,"clients":[{"url":"http://auth:8080/a","rate":0.5}],"nested":{"list":["x","40001"]}}`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if config.Clients[0].URL != "{{ .auth.url }}/a" {
		t.Errorf("the configuration itself has become %+v", config)
	}
	if got, err := addresses.Config(world.Spec{Name: "x"}); err != nil || string(got) != "{}" {
		t.Errorf("no config: got %s, %v; want {}", got, err)
	}
}

func TestErrorsOfSettingsKeepTheRestSecret(t *testing.T) {
	spec := world.Spec{
		Name:        "auth",
		Config:      &told{Token: "s3cret {{ .nobody.url }}"},
		Environment: map[string]string{"TOKEN": "s3cret {{ .nobody.url }}"},
		Command:     []string{"run", "s3cret {{ .nobody.url }}"},
	}
	_, config := addresses.Config(spec)
	_, environment := addresses.Environment(spec)
	_, command := addresses.Command(spec)
	for where, err := range map[string]error{"config.token": config, "environment.TOKEN": environment, "command[1]": command} {
		if err == nil || !strings.Contains(err.Error(), where) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got error %v; want it to name %s and not to quote the value", err, where)
		}
	}
}
