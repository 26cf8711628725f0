package family

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/webhook"
)

func TestWebhookEntries(t *testing.T) {
	scheme, err := webhook.Of("stripe")
	if err != nil {
		t.Fatal(err)
	}
	k := webhookKind{scheme}
	for name, entry := range map[string]map[string]any{
		"no tag": {"value": "whsec_0123"}, "no value": {"tag": "k1"}, "empty": {}, "not text": {"tag": "k1", "value": 5},
	} {
		if _, err := k.parse(entry); err == nil || strings.Contains(err.Error(), "0123") {
			t.Errorf("%s: got %v, want an error without a value", name, err)
		}
	}
	entry, err := k.generate("k7")
	if err != nil {
		t.Fatal(err)
	}
	c, err := k.parse(entry)
	if err != nil || c.identifier != "k7" || len(c.values) != 2 {
		t.Errorf("got %s and %v, want k7 and two forms of its value", c.identifier, err)
	}
}

// Only a sender that signs with the oldest is told what was revoked there.
func TestWebhookDocument(t *testing.T) {
	keys := []map[string]any{{"tag": "k1", "value": "a"}, {"tag": "k2", "value": "b"}}
	for name, want := range map[string][]any{"github": {nil, nil}, "shopify": {true, false}} {
		scheme, err := webhook.Of(name)
		if err != nil {
			t.Fatal(err)
		}
		document := webhookKind{scheme}.publish("k2", keys)
		published, _ := document["keys"].([]any)
		if document["emit"] != "k2" || len(published) != len(keys) {
			t.Fatalf("%s: got emit %v and %d keys, want k2 and both", name, document["emit"], len(published))
		}
		for i, key := range published {
			if got := key.(map[string]any)["revoked"]; got != want[i] {
				t.Errorf("%s, k%d: got revoked %v, want %v", name, i+1, got, want[i])
			}
		}
		if keys[0]["revoked"] != nil {
			t.Error("the entry itself was changed")
		}
	}
}
