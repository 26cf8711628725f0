package harness

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

func TestOwnPort(t *testing.T) {
	spec := world.Spec{
		Name: "shop-2", Command: []string{"shop", "--listen", ":{{ .shop.port }}"},
		Environment: map[string]string{"PUBLIC_URL": "{{ .shop.url }}", "PORT": "{{ .shop.port }}", "OTHER": "{{ .auth.port }}"},
	}
	ownPort(&spec, "shop")
	if got := spec.Command[2]; got != ":{{ .shop-2.port }}" {
		t.Errorf("it listens at %s, want a port of its own", got)
	}
	for name, want := range map[string]string{"PUBLIC_URL": "{{ .shop.url }}", "PORT": "{{ .shop-2.port }}", "OTHER": "{{ .auth.port }}"} {
		if got := spec.Environment[name]; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestListens: a command that asks for its port takes requests as an image does that says
// its ports, and one that asks for another's does not.
func TestListens(t *testing.T) {
	for _, tt := range []struct {
		name    string
		service scenario.Service
		want    bool
	}{
		{"an image with a port", scenario.Service{Image: "acme/shop", Ports: []int{80}}, true},
		{"an image without", scenario.Service{Image: "acme/shop", Environment: map[string]string{"PORT": "{{ .shop.port }}"}}, false},
		{"a command with its own port", scenario.Service{Command: []string{"shop"}, Environment: map[string]string{"PORT": "{{ .shop.port }}"}}, true},
		{"a command with another's", scenario.Service{Command: []string{"shop", "{{ .db.port }}"}}, false},
	} {
		if got := tt.service.Listens("shop"); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestBalanced: who takes requests has a balancer under its name, and who does not is
// needed by its replicas.
func TestBalanced(t *testing.T) {
	p := plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)
	checkout, worker := p.Rehearsal.Services["checkout"], p.Rehearsal.Services["checkout"]
	checkout.Replicas, checkout.Ports, worker.Replicas = 2, []int{8080}, 2
	p.Rehearsal.Services["checkout"], p.Rehearsal.Services["worker"] = checkout, worker
	for i := range p.Services {
		if p.Services[i].Name == "checkout" {
			p.Services[i].Service = checkout
			other := p.Services[i]
			other.Name, other.Service = "worker", worker
			p.Services = append(p.Services, other)
		}
	}
	graph, err := fault.Prepare(p)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{plan: p, graph: graph}
	specs := r.balanced([]world.Spec{{Name: "checkout-1"}, {Name: "checkout-2"}, {Name: "worker-1"}, {Name: "worker-2"}, {Name: "web", Needs: []string{"auth", "checkout", "worker"}}})
	if len(specs) != 6 {
		t.Fatalf("%d services, want a balancer beside the five", len(specs))
	}
	balancer, replicas := specs[5], []string{"checkout-1", "checkout-2"}
	config, ok := balancer.Config.(*contract.Balancer)
	if !ok || balancer.Name != "checkout" || !slices.Equal(balancer.Needs, replicas) {
		t.Fatalf("got %+v, want a balancer named checkout that needs %q", balancer, replicas)
	}
	if want := []string{contract.HostPortOf("checkout-1"), contract.HostPortOf("checkout-2")}; !slices.Equal(config.To, want) {
		t.Errorf("it goes to %q, want %q", config.To, want)
	}
	if want := []string{"auth", "checkout", "worker-1", "worker-2"}; !slices.Equal(specs[4].Needs, want) {
		t.Errorf("web needs %q, want %q", specs[4].Needs, want)
	}
}
