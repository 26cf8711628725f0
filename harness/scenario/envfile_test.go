package scenario

import (
	"maps"
	"strings"
	"testing"
)

func TestVariables(t *testing.T) {
	text := "# of the shop\n\nPLAIN=a b\nexport TOLD=yes # by hand\nHASH=a#b\nEMPTY=\nSINGLE='${AS} \\n it is' # so\nDOUBLE=\"a\\n\\\"b\\\" \\${C}\"\nURL=postgres://a:b@c/d?e=f\r\nPLAIN=later"
	want := map[string]string{
		"PLAIN": "later", "TOLD": "yes", "HASH": "a#b", "EMPTY": "", "SINGLE": `${AS} \n it is`, "DOUBLE": "a\n\"b\" ${C}", "URL": "postgres://a:b@c/d?e=f",
	}
	got, err := parseVariables(text)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for text, says := range map[string]string{
		"A=1\nHOME":            "line 2 has no =",
		"=1":                   "line 1 has no name",
		"A B=1":                "line 1 has no name",
		"A=\"hidden":           "the closing \" is missing",
		"A='hidden'b":          "something follows",
		"A=${HOME}/hidden":     "${…}",
		"A=\"${HOME}/hidden\"": "${…}",
	} {
		if _, err := parseVariables(text); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: got %v, want it to say %q and to quote nothing", text, err, says)
		}
	}
}

// own is the example with a service of a team's own in place of its checkout.
func own(t *testing.T, keys string, over map[string]string) map[string]string {
	t.Helper()
	example := string(files(t, nil)["scenario.yaml"].Data)
	at := strings.Index(example, "  checkout:")
	end := at + strings.Index(example[at:], "\n")
	over["scenario.yaml"] = example[:at] + "  checkout: {image: shop, ports: [8080], " + keys + "}" + example[end:]
	return over
}

func TestOwnFiles(t *testing.T) {
	l, err := Load(files(t, own(t, `env_file: [conf/shop.env, conf/later.env], environment: {LEVEL: info}, volumes: ["./conf:/etc/shop:ro"]`, map[string]string{
		"conf/shop.env": "LEVEL=debug\nKEYS={{ .auth.url }}/keys\nPORT=1\n", "conf/later.env": "PORT=8080",
	})), "scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"LEVEL": "info", "KEYS": "{{ .auth.url }}/keys", "PORT": "8080"}
	if got := l.Scenario.Services["checkout"].Environment; !maps.Equal(got, want) {
		t.Errorf("environment: got %q, want %q", got, want)
	}
	for keys, says := range map[string]string{
		`env_file: [nowhere.env]`:              "nowhere.env",
		`env_file: [/etc/shop.env]`:            "not the path of a file relative",
		`env_file: [conf/bad.env]`:             "line 1 has no =",
		`env_file: [conf/word.env]`:            "there is no nothing",
		`volumes: ["./nowhere:/etc/shop"]`:     "there is no nowhere",
		`volumes: ["data:/var/lib/data"]`:      "no named volumes",
		`volumes: ["./conf"]`:                  "is not FROM:TO",
		`volumes: ["./conf:etc"]`:              "not an absolute path",
		`volumes: ["/etc/shop:/etc/shop"]`:     "not a path relative",
		`volumes: ["./conf:/etc/shop:cached"]`: "neither ro nor rw",
	} {
		_, err := Load(files(t, own(t, keys, map[string]string{
			"conf/bad.env": "HOME", "conf/word.env": "KEYS={{ .auth.nothing }}",
		})), "scenario.yaml")
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "scenario.yaml:") {
			t.Errorf("%s: got %v, want it to say %q, and where", keys, err, says)
		}
	}
}
