package contract_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func published() contract.Published {
	return contract.Published{File: "/run/secret.json", Refresh: contract.Duration(2 * time.Second)}
}

// TestBothSidesReadTheSame: what one side configures is what the other reads.
func TestBothSidesReadTheSame(t *testing.T) {
	for _, config := range []contract.Config{
		&contract.Issuer{Name: "auth", Issuer: "{{ .auth.url }}", Published: published()},
		&contract.Verifier{Name: "search", Library: "jwx", Speed: 30, Leeway: contract.Duration(time.Minute)},
		&contract.Cache{Name: "cdn", TTL: contract.Duration(time.Hour), Orders: contract.Orders{Disturb: "t"}},
		&contract.Provider{Name: "payments", AdminToken: "a", Lockout: contract.Lockout{After: 3, For: contract.Duration(time.Minute)}},
		&contract.Charger{Name: "shop", Retries: 2, Published: published()},
		&contract.Sender{Name: "payments", Endpoints: map[string]string{"orders": "{{ .orders.url }}"}, Published: published()},
		&contract.Receiver{Name: "orders", Holds: 1, Fails: 0.02, Published: published()},
		&contract.Database{Kind: "postgres", Name: "db", Server: contract.Server{AdminPassword: "p", Folder: "f"}, Connections: 14},
		&contract.Database{Kind: "redis", Name: "db", Server: contract.Server{AdminPassword: "p", Folder: "f"}},
		&contract.PgBouncer{Name: "pool", Server: contract.Server{AdminPassword: "p", Folder: "f"}, Mode: "session", Pool: 20},
		&contract.Querier{Name: "orders", Type: "postgresql", Pool: 10, SwapsPool: true, Published: published()},
		&contract.Proxy{Name: "proxy-a-b", To: "b:80", Token: "t"},
		&contract.Store{RootToken: "r", UnsealKey: "u"},
	} {
		encoded, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		got, err := contract.Parse(config.Serves(), encoded)
		if err != nil || !reflect.DeepEqual(got, config) {
			t.Errorf("%s: got %+v, %v; want %+v", config.Serves(), got, err, config)
		}
	}
	if _, err := contract.Parse("horse", []byte("{}")); err == nil || !strings.Contains(err.Error(), "issuer") {
		t.Errorf("of a stand-in that there is not: got %v, want an error with those that there are", err)
	}
	if _, err := contract.Parse("issuer", []byte(`{"nme": "auth"}`)); err == nil || !strings.Contains(err.Error(), "nme") {
		t.Errorf("a field that is not known: got %v, want an error that names it", err)
	}
}

// TestWhatAConfigurationIsTold: only consumers read what is published, and only
// what says so follows orders.
func TestWhatAConfigurationIsTold(t *testing.T) {
	plan := &contract.Charger{Name: "shop"}
	started := contract.Copy(plan)
	contract.PublishedTo(started).Store = &contract.Stored{URL: "http://store", Token: "t", Path: "m/data/p"}
	contract.OrdersTo(started).Disturb = "t"
	if plan.Store != nil || plan.Disturb != "" {
		t.Errorf("the plan's own has become %+v: a token would stay in it", plan)
	}
	for _, config := range []contract.Config{&contract.Proxy{}, &contract.Store{}, &contract.Database{}} {
		if contract.PublishedTo(config) != nil || contract.OrdersTo(config) != nil {
			t.Errorf("%s: want that it reads no secret and follows no orders", config.Serves())
		}
	}
	if contract.PublishedTo(&contract.Verifier{}) != nil || contract.OrdersTo(&contract.Verifier{}) == nil {
		t.Error("a verifier reads no secret, and follows orders")
	}
	if contract.Copy(nil) != nil || contract.PublishedTo(nil) != nil || contract.ServerOf(nil) != nil {
		t.Error("of a service that is no stand-in there is none of them")
	}
}
