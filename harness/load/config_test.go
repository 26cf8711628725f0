package load

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const smallConfig = `{"seed": 7, "clients": [{"name": "web", "to": "checkout", "url": "http://checkout:8080", "rate": 0.01,
	"token": {"url": "http://auth:8080", "life": "6.667s"}}]}`

func TestParseConfigFillsDefaults(t *testing.T) {
	config, err := ParseConfig([]byte(smallConfig))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"load","seed":7,"bucket":"100ms","clients":[{"name":"web","to":"checkout","url":"http://checkout:8080",` +
		`"method":"GET","path":"/","rate":0.01,"sessions":1,` +
		`"token":{"url":"http://auth:8080","life":"6.667s","renew_at":0.8,"on_refusal":"keep"},` +
		`"timeout":"5s"}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if again, err := ParseConfig(got); err != nil || time.Duration(again.Clients[0].Token.Life) != 6667*time.Millisecond {
		t.Errorf("parse what was written: got %+v, %v; want the same configuration", again, err)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	client := func(fields string) string {
		return `{"clients": [{"name": "web", "to": "checkout", "url": "http://checkout", "rate": 1` + fields + `}]}`
	}
	for _, test := range []struct {
		name, config string
		want         []string // parts of the error
	}{
		{"not JSON", `{`, []string{"parse load configuration"}},
		{"unknown key", client(`, "sesions": 5`), []string{`unknown field "sesions"`}},
		{"number as a duration", client(`, "timeout": 5`), []string{"parse load configuration"}},
		{"duration without unit", client(`, "timeout": "5"`), []string{"missing unit"}},
		{"no clients", `{"clients": []}`, []string{"no clients"}},
		{"short bucket", `{"bucket": "10us", "clients": []}`, []string{"bucket is 10µs", "no clients"}},
		{"no rate", client(`, "rate": 0`), []string{"clients[0] web: rate is 0"}},
		{"path without slash", client(`, "path": "x"`), []string{`path is "x"`}},
		{"bad method", client(`, "method": "A B"`), []string{"invalid method"}},
		{"negative sessions", client(`, "sessions": -1`), []string{"sessions is -1"}},
		{"url without host", client(`, "url": "checkout:80"`), []string{`url is "checkout:80"`}},
		{"all of a token", client(`, "token": {"url": "auth", "life": "-1s", "renew_at": 1.5, "on_refusal": "ask"}`),
			[]string{`token.url is "auth"`, "token.life is -1s", "token.renew_at is 1.5", `token.on_refusal is "ask"`}},
		{"same name twice", `{"clients": [{"name": "a", "to": "b", "url": "http://b", "rate": 1}, {"name": "a", "to": "b", "url": "http://b", "rate": 1}]}`,
			[]string{`clients[1]: name "a" is taken`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseConfig([]byte(test.config))
			if err == nil {
				t.Fatalf("got no error; want one with %q", test.want)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got error %q; want it to say %q", err, part)
				}
			}
		})
	}
}
