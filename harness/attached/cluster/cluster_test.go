package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// These need a cluster of `make kubernetes-up`, by its kubeconfig in
// REHEARSE_KUBECONFIG, and the built binary in REHEARSE_BINARY.

// onCluster is a kubectl of that cluster's administrator.
func onCluster(t *testing.T) (kubectl func(stdin string, args ...string) string) {
	t.Helper()
	config := os.Getenv("REHEARSE_KUBECONFIG")
	if config == "" {
		t.Skip("there is no cluster in REHEARSE_KUBECONFIG: `make test-kubernetes` brings one up")
	}
	t.Setenv("KUBECONFIG", config)
	return func(stdin string, args ...string) string {
		t.Helper()
		command := exec.Command(kubectlOf(config), append([]string{"--kubeconfig", config}, args...)...)
		command.Stdin = strings.NewReader(stdin)
		var complaints bytes.Buffer
		command.Stderr = &complaints
		said, err := command.Output()
		if err != nil {
			t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, &complaints)
		}
		return string(said)
	}
}

// kubectlOf is the one that was built with the cluster.
func kubectlOf(config string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(config)), "bin", "kubectl")
}

// inNamespace makes one, allowed or not, which goes with the test.
func inNamespace(t *testing.T, kubectl func(string, ...string) string, name string, allowed bool) {
	t.Helper()
	kubectl(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": %q, "labels": {%q: "%v"}}}`, name, allowLabel, allowed), "apply", "-f", "-")
	t.Cleanup(func() { kubectl("", "delete", "namespace", name, "--wait=false") })
}

// sleeping is a Deployment whose pods do nothing.
const sleeping = `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "idle"}, "spec": {"replicas": 2,
 "selector": {"matchLabels": {"app": "idle"}}, "template": {"metadata": {"labels": {"app": "idle"}}, "spec": {"terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false,
 "containers": [{"name": "idle", "image": "localhost/pause:1", "imagePullPolicy": "Never", "ports": [{"containerPort": 8080}]}]}}}}`

// planOf is a plan with some steps in a cluster.
func planOf(namespace string, steps map[string]scenario.Act) *plan.Plan {
	p := &plan.Plan{}
	p.Rehearsal.Attach = &scenario.Attach{Kubernetes: &scenario.Kubernetes{Namespace: namespace, Workloads: map[string]string{"idle": "deployment/idle"}}, Steps: steps}
	return p
}

func TestClusterIsRefusedWithoutTheLabel(t *testing.T) {
	kubectl := onCluster(t)
	inNamespace(t, kubectl, "not-allowed", false)
	_, _, err := Open(t.Context(), planOf("not-allowed", nil))
	if !errors.Is(err, ErrNotAllowed) || !strings.Contains(err.Error(), "kubectl label namespace not-allowed rehearse.dev/allow=true") {
		t.Errorf("attach to a namespace without the label: %v, want that it is refused, and what its owner may do", err)
	}
}

func TestClusterUndoesExactly(t *testing.T) {
	kubectl := onCluster(t)
	const ns = "undo"
	inNamespace(t, kubectl, ns, true)
	kubectl(sleeping, "-n", ns, "apply", "-f", "-")
	// A value that is no text, an empty one, and one that stays.
	kubectl(`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "annotations": {"owner": "shop"}}, "data": {"bytes": "AP8Kw4o=", "empty": "", "stays": "eA=="}}`, "-n", ns, "create", "-f", "-")
	kubectl("", "-n", ns, "rollout", "status", "deployment/idle", "--timeout=60s")
	state := func() string {
		return kubectl("", "-n", ns, "get", "secret", "keys", "-o", "jsonpath={.data}{.metadata.annotations}") +
			kubectl("", "-n", ns, "get", "deployment", "idle", "-o", "jsonpath={.spec.template.metadata.annotations}{.metadata.annotations.note}")
	}
	before := state()
	patch := scenario.Act{Secret: &scenario.SecretWrite{Name: "keys", Patch: true, Data: map[string]string{"bytes": "x", "empty": "x", "new": "x"}}}
	all := map[string]scenario.Act{
		"patched":   patch,
		"replaced":  {Secret: &scenario.SecretWrite{Name: "keys", Data: map[string]string{"new": "x"}}},
		"annotated": {Annotate: &scenario.Annotate{On: "deployment/idle", Name: "note", Value: "now"}},
		"secret":    {Annotate: &scenario.Annotate{On: "secret/keys", Name: "owner", Value: "rehearse"}},
		"rolled":    {Rollout: "deployment/idle"},
		"pods":      {Annotate: &scenario.Annotate{On: "pods/idle", Name: "note", Value: "now"}},
	}
	c, _, err := Open(t.Context(), planOf(ns, all))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, name := range []string{"patched", "replaced", "annotated", "secret", "pods", "rolled"} {
		act := all[name]
		value := ""
		data := map[string]string{}
		if act.Secret != nil {
			data = act.Secret.Data
		}
		if act.Annotate != nil {
			value = act.Annotate.Value
		}
		if err := c.Do(t.Context(), name, "k2", act, data, value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if name != "pods" && state() == before {
			t.Errorf("%s: nothing is other than before", name)
		}
		if err := c.TakeBack(t.Context(), name); err != nil {
			t.Errorf("%s: take back: %v", name, err)
		}
		if after := state(); after != before {
			t.Errorf("%s: after it was taken back it is\n%s, want, to the byte,\n%s", name, after, before)
		}
	}

	// What somebody else has changed since stays, and the error says what, and no value.
	if err := c.Do(t.Context(), "accept", "k2", patch, patch.Secret.Data, ""); err != nil {
		t.Fatal(err)
	}
	kubectl("", "-n", ns, "patch", "secret", "keys", "--type=merge", "-p", `{"stringData": {"bytes": "theirs-4711"}}`)
	theirs := state()
	err = c.TakeBack(t.Context(), "accept")
	if !errors.Is(err, errChanged) || !strings.Contains(err.Error(), "bytes") || strings.Contains(err.Error(), "theirs-4711") {
		t.Errorf("take back what somebody else changed: %v, want that bytes was changed, without a value", err)
	}
	if after := state(); after != theirs {
		t.Errorf("what somebody else wrote is now\n%s, want it as it was\n%s", after, theirs)
	}
	kubectl("", "-n", ns, "patch", "secret", "keys", "--type=merge", "-p", `{"immutable": true}`)
	if _, _, err := Open(t.Context(), planOf(ns, all)); err == nil || !strings.Contains(err.Error(), "immutable") {
		t.Errorf("attach to an immutable Secret: %v, want that it is one", err)
	}
}

func TestClusterHasOneRehearsalAtATime(t *testing.T) {
	kubectl := onCluster(t)
	const ns = "one-at-a-time"
	inNamespace(t, kubectl, ns, true)
	kubectl(sleeping, "-n", ns, "apply", "-f", "-")
	kubectl("", "-n", ns, "rollout", "status", "deployment/idle", "--timeout=60s")
	open := func() *Cluster {
		t.Helper()
		c, _, err := Open(t.Context(), planOf(ns, nil))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	first, second := open(), open()
	if err := first.Hold(t.Context(), "process 1 on here"); err != nil {
		t.Fatal(err)
	}
	if err := second.Hold(t.Context(), "process 2 on there"); !errors.Is(err, kubernetes.ErrHeld) || !strings.Contains(err.Error(), "process 1 on here") {
		t.Errorf("a second rehearsal: %v, want that the first has it, and who that is", err)
	}
	if err := errors.Join(second.Release(t.Context()), first.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := second.Hold(t.Context(), "process 2 on there"); err != nil {
		t.Errorf("after the first had let go: %v, want it", err)
	}
	if err := second.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := kubectl("", "-n", ns, "get", "leases", "-o", "name"); left != "" {
		t.Errorf("left in the cluster: %s, want nothing", left)
	}
}

// attachedCases are rehearsals of scenarios/attached/kubernetes, with what is known
// of each.
var attachedCases = []struct {
	name, by string
	verdict  judge.Outcome
	blamed   string
	check    func(*testing.T, []judge.PodReport, judge.Verdict)
}{
	{"volume", "volume", judge.Pass, "", func(t *testing.T, pods []judge.PodReport, _ judge.Verdict) {
		for _, p := range pods {
			if p.SawAfterMS < 0 || p.SawAfterMS > 30_000 || p.TookAfterMS < p.SawAfterMS || p.RefusedNew != 0 || p.ForgotAfterMS < 0 {
				t.Errorf("%+v: want its file seen within 30 s, then taken, and the old one refused", p)
			}
		}
		if len(pods) != 2 {
			t.Errorf("%d pods of orders-api, want 2", len(pods))
		}
	}},
	{"volume-own-cache", "cached", judge.Fail, "orders-api", func(t *testing.T, pods []judge.PodReport, _ judge.Verdict) {
		// It is not the kubelet, and that can be seen: the file came, and the pod refused.
		for _, p := range pods {
			if p.SawAfterMS < 0 || p.SawAfterMS > 30_000 || p.RefusedNew == 0 {
				t.Errorf("%+v: want its file seen within 30 s, and the new one refused all the same", p)
			}
		}
	}},
	{"env", "env", judge.Pass, "", func(t *testing.T, pods []judge.PodReport, _ judge.Verdict) {
		gone := 0
		for _, p := range pods {
			if p.WentMS >= 0 {
				gone++
			}
		}
		if len(pods) != 6 || gone < 4 {
			t.Errorf("%d pods of orders-api came and %d went, want 2 replaced twice: %+v", len(pods), gone, pods)
		}
	}},
	{"env-not-rolled-out", "env", judge.Fail, "orders-api", func(t *testing.T, pods []judge.PodReport, _ judge.Verdict) {
		if len(pods) == 0 || pods[0].RefusedNew == 0 {
			t.Errorf("no pod is seen to refuse the new one: %+v", pods)
		}
	}},
}

// TestAttach rehearses an API that is not ours, as whoever has exactly the Role that
// --dry-run prints, and holds what was asked of the API server against that Role.
func TestAttach(t *testing.T) {
	kubectl := onCluster(t)
	binary := os.Getenv("REHEARSE_BINARY")
	if binary == "" {
		t.Skip("REHEARSE_BINARY names no built binary")
	}
	folder, err := filepath.Abs(filepath.Join("..", "..", "..", "scenarios", "attached", "kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	config := os.Getenv("REHEARSE_KUBECONFIG")
	t.Run("all", func(t *testing.T) {
		for _, c := range attachedCases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				ns, out := "shop-"+c.name, t.TempDir()
				run := func(as, name string, args ...string) (string, error) {
					command := exec.Command(name, args...)
					command.Env = append(os.Environ(), "KUBECONFIG="+as, "KUBECTL="+kubectlOf(config)+" --kubeconfig "+config)
					said, err := command.CombinedOutput()
					return string(said), err
				}
				t.Cleanup(func() {
					if said, err := run(config, filepath.Join(folder, "system.sh"), "down", ns); err != nil {
						t.Errorf("take the system down: %v\n%s", err, said)
					}
				})
				if said, err := run(config, filepath.Join(folder, "system.sh"), "up", ns, c.by); err != nil {
					t.Fatalf("bring the system up: %v\n%s", err, said)
				}
				file := filepath.Join(folder, c.name+".yaml")
				printed, err := run(config, binary, "run", "--dry-run", file)
				if err != nil {
					t.Fatalf("--dry-run: %v\n%s", err, printed)
				}
				_, role, found := strings.Cut(printed, "needs this Role\n")
				if !found {
					t.Fatalf("--dry-run prints no Role:\n%s", printed)
				}
				manifests, err := run(config, binary, "kubernetes", "manifests", "--image", "localhost/rehearse:dev", file)
				if err != nil {
					t.Fatalf("manifests: %v\n%s", err, manifests)
				}
				kubectl(manifests, "apply", "--dry-run=server", "-f", "-")
				as := withRole(t, kubectl, ns, role, out)
				for _, workload := range []string{"auth", "orders-api"} { // of a rehearsal that died long ago
					kubectl(`{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "rehearse.deployment.`+workload+`"},
						"spec": {"holderIdentity": "nobody", "leaseDurationSeconds": 1, "renewTime": "2026-01-01T00:00:00.000000Z"}}`, "-n", ns, "apply", "-f", "-")
				}
				said, err := run(as, binary, "run", "--runtime", "process", "--ui", "plain", "--yes", "--out", filepath.Join(out, "run"), file)
				var v judge.Verdict
				text, readErr := os.ReadFile(filepath.Join(out, "run", "result.json"))
				if readErr == nil {
					readErr = json.Unmarshal(text, &v)
				}
				if readErr != nil {
					t.Fatalf("rehearse: %v, %v\n%s", err, readErr, said)
				}
				t.Log(summary(v))
				if v.Verdict != c.verdict {
					t.Errorf("it is %s, want %s:\n%s", v.Verdict, c.verdict, said)
				}
				if c.blamed != "" && !slices.ContainsFunc(v.Findings, func(f judge.Finding) bool { return f.Level == judge.Error && f.Consumer == c.blamed }) {
					t.Errorf("nobody blames %s:\n%s", c.blamed, said)
				}
				for _, f := range v.Findings {
					if f.Level == judge.Error && f.Consumer != c.blamed {
						t.Errorf("%s is blamed, want %q alone: %s", f.Consumer, c.blamed, f.Message)
					}
				}
				c.check(t, slices.DeleteFunc(slices.Clone(v.Pods), func(p judge.PodReport) bool { return p.Service != "orders-api" }), v)
				noMoreThan(t, ns, role, filepath.Join(filepath.Dir(config), "log", "audit.log"))
				if left := kubectl("", "-n", ns, "get", "leases", "-o", "name"); left != "" {
					t.Errorf("left in the cluster: %s, want nothing", left)
				}
			})
		}
	})
}

// summary is what a tired reader would look at.
func summary(v judge.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", v.Verdict, v.Why)
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "  %s %s %s: %s | %s\n", f.Level, f.RuleID, f.Cause, f.Message, f.Fix)
	}
	for _, p := range v.Pods {
		fmt.Fprintf(&b, "  %+v\n", p)
	}
	return b.String()
}

// withRole gives a ServiceAccount a Role, and returns the kubeconfig of that.
func withRole(t *testing.T, kubectl func(string, ...string) string, ns, role, folder string) string {
	t.Helper()
	kubectl(role, "apply", "-f", "-")
	kubectl("", "-n", ns, "create", "serviceaccount", "rehearse")
	kubectl("", "-n", ns, "create", "rolebinding", "rehearse", "--role=rehearse", "--serviceaccount="+ns+":rehearse")
	token := strings.TrimSpace(kubectl("", "-n", ns, "create", "token", "rehearse"))
	as := filepath.Join(folder, "kubeconfig")
	admin := kubectl("", "config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.server} {.clusters[0].cluster.certificate-authority-data}")
	server, ca, _ := strings.Cut(strings.TrimSpace(admin), " ")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: %q, certificate-authority-data: %q}}]\nusers: [{name: u, user: {token: %q}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n", server, ca, token)
	if err := os.WriteFile(as, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return as
}

// noMoreThan holds what a ServiceAccount asked for, as the API server's audit log has
// it, against its Role: nothing was refused, and each verb of each rule was used.
func noMoreThan(t *testing.T, ns, role, audit string) {
	t.Helper()
	var r Role
	if err := yaml.Unmarshal([]byte(role), &r); err != nil {
		t.Fatalf("the Role: %v", err)
	}
	used := map[string]bool{}
	file, err := os.Open(audit)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct {
			User      struct{ Username string }
			Verb      string
			ObjectRef struct{ Resource, Subresource, APIGroup, Name string }
			Status    struct{ Code int } `json:"responseStatus"`
		}
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.User.Username != "system:serviceaccount:"+ns+":rehearse" {
			continue
		}
		resource := strings.TrimSuffix(e.ObjectRef.Resource+"/"+e.ObjectRef.Subresource, "/")
		if e.Status.Code == 403 {
			t.Errorf("%s of %s %s was refused: the Role is not enough", e.Verb, resource, e.ObjectRef.Name)
		}
		for i, rule := range r.Rules {
			if slices.Contains(rule.Groups, e.ObjectRef.APIGroup) && slices.Contains(rule.Resources, resource) &&
				(len(rule.Names) == 0 || slices.Contains(rule.Names, e.ObjectRef.Name)) {
				used[fmt.Sprint(i, e.Verb)] = true
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for i, rule := range r.Rules {
		for _, verb := range rule.Verbs {
			// The upgrade of a WebSocket is a get for which create is asked too (since
			// 1.35): there is one line for both, and none without either.
			upgraded := verb == "create" && strings.HasPrefix(rule.Resources[0], "pods/") && used[fmt.Sprint(i, "get")]
			if !used[fmt.Sprint(i, verb)] && !upgraded {
				t.Errorf("%s of %v %v is in the Role and was not used: it is more than is needed", verb, rule.Resources, rule.Names)
			}
		}
	}
}
