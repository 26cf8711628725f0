package scenario

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTargetsEachHaveTheirShare(t *testing.T) {
	c := Client{Client: "web", Rate: 40, Sessions: 10, Steps: []RateStep{{Rate: 80}}, Targets: []Target{
		{To: "checkout", Share: 2, Request: Request{Path: "/cart"}}, {To: "search"}, {To: "checkout", Request: Request{Method: "POST"}},
	}}
	var got []string
	for _, one := range c.Each() {
		got = append(got, fmt.Sprintf("%s to %s %s%s at %g, %g with %d", one.Client, one.To, one.Request.Method, one.Request.Path, one.Rate, one.Steps[0].Rate, one.Sessions))
	}
	want := "web-checkout to checkout /cart at 20, 40 with 5; web-search to search  at 10, 20 with 3; web-checkout-2 to checkout POST at 10, 20 with 3"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if c.Steps[0].Rate != 80 || c.Rate != 40 {
		t.Errorf("the client itself: got rates %g and %g, want 40 and 80 as they were", c.Rate, c.Steps[0].Rate)
	}
}

func TestLoadRefusesTargets(t *testing.T) {
	for _, tt := range []struct{ name, client, want string }{
		{"two of them", "client: web, rate: 1/s, token: {}, targets: [{to: v}, {to: v, share: 3, request: {path: /x}}]", ""},
		{"neither", "client: web, rate: 1/s, token: {}", "load[0]: does not say which service it calls (to: SERVICE, or several: targets: [{to: SERVICE}])"},
		{"both", "client: web, to: v, rate: 1/s, token: {}, targets: [{to: v}]", "load[0].to: is said by each of targets"},
		{"no service", "client: web, rate: 1/s, token: {}, targets: [{to: v}, {to: w}]", `load[0].targets[1].to: no service "w"`},
		{"a path that is none", "client: web, rate: 1/s, token: {}, targets: [{to: v, request: {path: x}}]", `load[0].targets[0].request.path: "x" is not a path`},
		{"no share", "client: web, rate: 1/s, token: {}, targets: [{to: v, share: -1}]", "load[0].targets[0].share: is -1, want more than 0"},
		{"none", "client: web, rate: 1/s, token: {}, targets: []", "load[0].targets: has none"},
		{"the name of another", "client: web, rate: 1/s, token: {}, targets: [{to: v}]}\n  - {client: web-v, to: v, rate: 1/s, token: {}", `client "web-v" is given twice, first as load[0].targets[0]`},
	} {
		text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: runbook.yaml\nservices:\n  auth: {serve: issuer}\n  v: {serve: verifier, library: jwx}\nload:\n  - {" + tt.client + "}\n"
		_, err := Load(fstest.MapFS{"s.yaml": {Data: []byte(text)}}, "s.yaml")
		got := fmt.Sprint(err)
		if tt.want == "" && strings.Contains(got, "load") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %.400s, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLoadRefusesProtocols(t *testing.T) {
	const own = "image: acme/v:1, ports: [80], agent: v"
	for _, tt := range []struct{ name, service, request, want string }{
		{"gRPC", own, "protocol: grpc, path: /shop.v1.Orders/List, body: CAc=", ""},
		{"HTTP/2", own, "protocol: http2, path: /orders, method: PUT", ""},
		{"another", own, "protocol: http3", `load[0].request.protocol: unknown value "http3"`},
		{"of a stand-in", "serve: verifier, library: jwx", "protocol: grpc, path: /a.B/C", "load[0].request.protocol: a stand-in speaks HTTP/1.1"},
		{"before replicas", own + ", replicas: 2", "protocol: http2", "load[0].request.protocol: the balancer before its replicas speaks HTTP/1.1"},
		{"gRPC without a method", own, "protocol: grpc, path: /orders", "load[0].request.path: a gRPC call is of /PACKAGE.SERVICE/METHOD"},
		{"gRPC by GET", own, "protocol: grpc, path: /a.B/C, method: GET", "load[0].request.method: is POST of a gRPC call"},
		{"a message in JSON", own, "protocol: grpc, path: /a.B/C, body: \"{}\"", "load[0].request.body: the message of a gRPC call is its bytes in base64"},
	} {
		text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: runbook.yaml\nservices:\n  auth: {serve: issuer}\n  v: {" + tt.service +
			"}\nload:\n  - {client: web, to: v, rate: 1/s, token: {}, request: {" + tt.request + "}}\n"
		_, err := Load(fstest.MapFS{"s.yaml": {Data: []byte(text)}}, "s.yaml")
		got := fmt.Sprint(err)
		if tt.want == "" && strings.Contains(got, "load") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %.400s, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHealthcheckAtAPort(t *testing.T) {
	for _, tt := range []struct{ service, want string }{
		{"image: acme/v:1, ports: [80, 9090], agent: v, healthcheck: ':9090/healthz'", ""},
		{"image: acme/v:1, ports: [80], agent: v, healthcheck: ':9090/healthz'", "services.v.healthcheck: port 9090 is not one of its ports (ports: [8080, 9090])"},
		{"image: acme/v:1, ports: [80], agent: v, healthcheck: ':healthz'", `services.v.healthcheck: ":healthz" is not a path`},
		{"image: acme/v:1, ports: [80], agent: v, healthcheck: healthz", `services.v.healthcheck: "healthz" is not a path`},
	} {
		text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: runbook.yaml\nservices:\n  auth: {serve: issuer}\n  v: {" + tt.service + "}\n"
		_, err := Load(fstest.MapFS{"s.yaml": {Data: []byte(text)}}, "s.yaml")
		got := fmt.Sprint(err)
		if tt.want == "" && strings.Contains(got, "healthcheck") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %.400s, want %q", tt.service, got, tt.want)
		}
	}
}
