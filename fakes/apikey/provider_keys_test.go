package apikey

import (
	"testing"
	"time"
)

func TestProviderKeySlots(t *testing.T) {
	keys := newProviderKeys(2, 0, func() time.Time { return time.Unix(1_000_000, 0) })
	steps := []struct {
		name    string
		do      func() error
		refused bool
		live    int
	}{
		{"first", func() error { _, err := keys.create("v1", "one"); return err }, false, 1},
		{"second", func() error { _, err := keys.create("v2", "two"); return err }, false, 2},
		{"the second again", func() error { _, err := keys.create("v2", "two"); return err }, false, 2},
		{"the second with another value", func() error { _, err := keys.create("v2", "three"); return err }, true, 2},
		{"third", func() error { _, err := keys.create("v3", "three"); return err }, true, 2},
		{"third beside a disabled one", func() error {
			keys.setEnabled("v1", false)
			_, err := keys.create("v3", "three")
			return err
		}, true, 2},
		{"third after a deletion", func() error {
			keys.remove("v1")
			_, err := keys.create("v3", "three")
			return err
		}, false, 2},
	}
	for _, step := range steps {
		if err := step.do(); (err != nil) != step.refused {
			t.Errorf("%s: got error %v, want refused %t", step.name, err, step.refused)
		}
		if n := len(keys.list()); n != step.live {
			t.Errorf("%s: got %d live keys, want %d", step.name, n, step.live)
		}
	}
}

func TestProviderKeyChecks(t *testing.T) {
	now := time.Unix(1_000_000, 0).UTC()
	keys := newProviderKeys(2, 0, func() time.Time { return now })
	if _, err := keys.create("v1", "one"); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name     string
		before   func()
		value    string
		tag      string
		accepted bool
	}{
		{"live", func() {}, "one", "v1", true},
		{"unknown", func() {}, "two", "", false},
		{"empty", func() {}, "", "", false},
		{"disabled", func() { keys.setEnabled("v1", false) }, "one", "v1", false},
		{"enabled again", func() { keys.setEnabled("v1", true) }, "one", "v1", true},
	}
	for _, step := range steps {
		step.before()
		if got := keys.check(step.value, false); got.tag != step.tag || got.accepted != step.accepted {
			t.Errorf("%s: got %+v, want %q, %t", step.name, got, step.tag, step.accepted)
		}
	}
	if got := keys.list()[0]; got.Accepted != 2 || got.Refused != 1 || !got.LastUsed.Equal(now) {
		t.Errorf("counts: got %d accepted, %d refused, last used %s, want 2, 1, %s", got.Accepted, got.Refused, got.LastUsed, now)
	}
	keys.remove("v1")
	if got := keys.check("one", false); got != (checked{}) {
		t.Errorf("deleted: got %+v, want unknown and refused", got)
	}
}

func TestProviderKeysAreRefusedAfterTheLag(t *testing.T) {
	now := time.Unix(1_000_000, 0).UTC()
	keys := newProviderKeys(2, time.Hour, func() time.Time { return now })
	if _, err := keys.create("v1", "one"); err != nil {
		t.Fatal(err)
	}
	keys.setEnabled("v1", false)
	for _, step := range []struct {
		name  string
		after time.Duration
		want  checked
	}{
		{"at once", 0, checked{tag: "v1", accepted: true}},
		{"just before", time.Hour - 1, checked{tag: "v1", accepted: true}},
		{"then", 1, checked{tag: "v1", ceased: true}},
		{"and on", time.Minute, checked{tag: "v1"}},
	} {
		now = now.Add(step.after)
		if got := keys.check("one", false); got != step.want {
			t.Errorf("%s: got %+v, want %+v", step.name, got, step.want)
		}
	}
	keys.setEnabled("v1", true)
	if got := keys.check("one", false); !got.accepted {
		t.Errorf("enabled again: got %+v, want it accepted", got)
	}
}

func TestProviderKeysAreRefusedWhenPuttingOffEnds(t *testing.T) {
	keys := newProviderKeys(3, 0, time.Now)
	for tag, value := range map[string]string{"v1": "one", "v2": "two", "v3": "three"} {
		if _, err := keys.create(tag, value); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(name, value string, want checked) {
		t.Helper()
		if got := keys.check(value, false); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	keys.setEnabled("v3", false)
	refused("disabled before", "three", checked{tag: "v3"})
	keys.putOff(true)
	refused("disabled before, while others are put off", "three", checked{tag: "v3"})
	if _, changed := keys.setEnabled("v1", false); changed {
		t.Error("disabled while it is put off: got that it is refused from now on")
	}
	refused("put off", "one", checked{tag: "v1", accepted: true})
	if key := keys.list()[0]; key.State(time.Now()) != "disabled, still accepted for an unknown time" {
		t.Errorf("on the dashboard: got %q", key.State(time.Now()))
	}
	keys.setEnabled("v2", false)
	if _, changed := keys.remove("v2"); !changed {
		t.Error("deleted while it is put off: got that nothing changed")
	}
	keys.putOff(false)
	refused("when that is over", "one", checked{tag: "v1", ceased: true})
	refused("and on", "one", checked{tag: "v1"})
	keys.setEnabled("v1", true)
	keys.setEnabled("v1", false)
	refused("disabled afterwards", "one", checked{tag: "v1"})
}
