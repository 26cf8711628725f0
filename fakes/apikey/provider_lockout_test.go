package apikey

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestLockout(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	now := start
	l := newLockout(contract.Lockout{After: 3, Window: contract.Duration(time.Minute), For: contract.Duration(5 * time.Minute)}, func() time.Time { return now })
	for _, step := range []struct {
		name      string
		at        time.Duration
		presenter string
		locks     bool
	}{
		{"first", 0, "nightly", false},
		{"second", 40 * time.Second, "nightly", false},
		{"third, when the first is too long ago", 70 * time.Second, "billing", false},
		{"fourth, with two within the window", 90 * time.Second, "nightly", true},
		{"while it is locked", 91 * time.Second, "nightly", false},
	} {
		now = start.Add(step.at)
		got, locks := l.refused(step.presenter, "k1")
		if locks != step.locks {
			t.Fatalf("%s: got locked %t, want %t", step.name, locks, step.locks)
		}
		if want := (locking{calls: 3, took: 50 * time.Second, presenter: "nightly", tag: "k1", most: 2}); locks && got != want {
			t.Errorf("%s: got %+v, want %+v", step.name, got, want)
		}
	}
	opens := start.Add(90*time.Second + 5*time.Minute)
	if locked, opened := l.locked(); !locked || opened || !l.lockedUntil().Equal(opens) {
		t.Errorf("locked: got %t, opened %t, until %s, want it locked until %s", locked, opened, l.lockedUntil(), opens)
	}
	now = opens
	if locked, opened := l.locked(); locked || !opened || !l.lockedUntil().IsZero() {
		t.Errorf("after its time: got locked %t, opened %t, until %s, want it open", locked, opened, l.lockedUntil())
	}
	if _, opened := l.locked(); opened {
		t.Error("it opened twice")
	}
	if _, locks := l.refused("nightly", "k1"); locks {
		t.Error("one refusal locked it, after those before had done so already")
	}
}

func TestProviderLocksTheAccount(t *testing.T) {
	policy := map[string]any{"after": 2, "window": "1h", "for": "1h"}
	provider, log := standintest.Serve(t, ServeProvider, map[string]any{"name": "payments", "account": "acme", "admin_token": adminToken, "lockout": policy, "checks_late": true})
	standintest.AwaitReady(t, provider)
	one, two := "sk_one_0123456789", "sk_two_0123456789"
	log.Forbid(one, two)
	admin(t, provider, http.MethodPut, "/v1", `{"value": "`+one+`"}`, http.StatusCreated)
	admin(t, provider, http.MethodPut, "/v2", `{"value": "`+two+`"}`, http.StatusCreated)
	admin(t, provider, http.MethodPost, "/v1/disable", "", http.StatusOK)
	var got []int
	for _, key := range []string{two, one, one, two, one} {
		got = append(got, pay(t, provider, key, "", ""))
	}
	standintest.WantEqual(t, "answers with v2, v1, v1, v2, v1", got, []int{201, 401, 401, 403, 403})
	if status, answer := standintest.Call(t, http.MethodGet, provider+"/balance", two, nil); status != http.StatusForbidden || !strings.Contains(answer, contract.CodeLocked) {
		t.Errorf("balance with v2: got %d %s, want 403 and %s", status, answer, contract.CodeLocked)
	}
	locks := log.Lines("locked")
	if len(locks) != 1 || locks[0].Presenter != "shop" || locks[0].Identifier != "v1" || locks[0].Count != 2 {
		t.Errorf("locked: got %+v, want once, after 2 calls of shop with v1", locks)
	}
	if _, page := standintest.Call(t, http.MethodGet, provider+"/dashboard", "", nil); !strings.Contains(page, "The account is locked") {
		t.Error("the dashboard does not say that the account is locked")
	}
	if _, text := standintest.Call(t, http.MethodGet, provider+"/dashboard.json", "", nil); !strings.Contains(text, `"charges":3`) {
		t.Errorf("got %s, want three charges: one accepted, two of a key that is looked at too late, none of a locked account", text)
	}
}
