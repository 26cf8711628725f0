package runbook

import (
	"strings"
	"testing"
	"testing/fstest"
)

// A page about a webhook secret says how its receivers learn by their refresh.
func TestCheckWebhookSecret(t *testing.T) {
	blank, _ := New("webhook-secret")
	tests := []struct{ name, old, new, want string }{
		{"as it is", "", "", ""},
		{"times in place of a refresh", "refresh: 1m   ", "learns_within: 1m\n    forgets_within: 2m\n    #", ""},
		{"nothing says how long", "refresh: 1m   ", "#", `p.yaml:24:5: consumers[1]: nothing says how long "orders" learns and forgets (say its refresh: how often it reads the secret)`},
		{"a scheme that there is not", "type: stripe", "type: twilio", `p.yaml:30:9: format.type: "twilio" is no type of family webhook-secret (one of github, shopify, slack, standard-webhooks, stripe)`},
		{"characters of a password", "type: stripe", "type: stripe\n  alphabet: \"@/ '\"", ""},
		{"a character that breaks the line", "type: stripe", "type: stripe\n  alphabet: \"@\\n\"", `p.yaml:31:13: format.alphabet: has a character that no value can have (as "@/%#$\"'": characters of ASCII that can be typed, without { and })`},
		{"characters of base64", "type: stripe", "type: standard-webhooks\n  alphabet: \"@\"", `p.yaml:31:13: format.alphabet: a secret of type standard-webhooks is base64, which has an alphabet of its own (leave it out)`},
		{"no life", "longest_life: 5m ", "#", `p.yaml:30:3: format.longest_life: family webhook-secret needs a longest life (for how long a delivery that failed is tried again: 30m)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(string(blank), tt.old, tt.new, 1)
			if tt.old != "" && text == string(blank) {
				t.Fatalf("the page has no %q", tt.old)
			}
			_, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, "p.yaml")
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}
