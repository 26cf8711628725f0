package cluster

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// Role is a Role of rbac.authorization.k8s.io/v1, as it is written.
type Role struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   map[string]string `yaml:"metadata"`
	Rules      []Rule            `yaml:"rules"`
}

// Rule is one rule of a Role.
type Rule struct {
	Groups    []string `yaml:"apiGroups,flow"`
	Resources []string `yaml:"resources,flow"`
	Names     []string `yaml:"resourceNames,flow,omitempty"`
	Verbs     []string `yaml:"verbs,flow"`
}

// RoleOf is the Role that a rehearsal attached to a cluster needs: what it reads and
// writes, each by name where RBAC can name it, and nothing else. RBAC cannot restrict
// what is listed, watched and made to names, nor a pod's subresources to the pods of a
// workload, whose names change.
func RoleOf(a *scenario.Attach) Role {
	k := a.Kubernetes
	r := Role{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "Role", Metadata: map[string]string{"name": "rehearse", "namespace": k.Namespace}}
	add := func(group, resource string, names []string, verbs ...string) {
		if slices.Sort(names); names == nil || len(names) > 0 {
			r.Rules = append(r.Rules, Rule{[]string{group}, []string{resource}, slices.Compact(names), verbs})
		}
	}
	rolled, read := deploymentsOf(a), []string{}
	leases := []string{}
	for _, service := range slices.Sorted(maps.Keys(k.Workloads)) {
		leases = append(leases, leaseOf(k.Workloads[service]))
		if name, ok := strings.CutPrefix(k.Workloads[service], scenario.DeploymentPrefix); ok && !slices.Contains(rolled, name) {
			read = append(read, name)
		}
	}
	add("", "namespaces", []string{k.Namespace}, "get")
	add("", "pods", nil, "list", "watch")
	add("", "pods/log", nil, "get")
	add("", "pods/portforward", nil, "get", "create")
	if k.Exec {
		add("", "pods/exec", nil, "get", "create")
	}
	add("apps", "deployments", append([]string{}, read...), "get")
	add("apps", "deployments", append([]string{}, rolled...), "get", "patch")
	add("", "secrets", append([]string{}, secretsOf(a)...), "get", "patch")
	for _, name := range slices.Sorted(maps.Keys(a.Steps)) {
		n := a.Steps[name].Annotate
		if n == nil {
			continue
		}
		switch parts := strings.Split(n.On, "/"); {
		case len(parts) == 4:
			add(parts[0], parts[2], []string{parts[3]}, "get", "patch")
		case parts[0] == "pods":
			add("", "pods", nil, "get", "patch")
		default:
			add(annotated[parts[0]].Group, annotated[parts[0]].Resource, []string{parts[1]}, "get", "patch")
		}
	}
	add("coordination.k8s.io", "leases", nil, "create")
	add("coordination.k8s.io", "leases", leases, "get", "update", "delete")
	return r.merged()
}

// merged has each rule once: two of the same objects become one.
func (r Role) merged() Role {
	var rules []Rule
	for _, rule := range r.Rules {
		i := slices.IndexFunc(rules, func(o Rule) bool {
			return slices.Equal(o.Groups, rule.Groups) && slices.Equal(o.Resources, rule.Resources) && slices.Equal(o.Names, rule.Names)
		})
		if i < 0 {
			rules = append(rules, rule)
			continue
		}
		for _, verb := range rule.Verbs {
			if !slices.Contains(rules[i].Verbs, verb) {
				rules[i].Verbs = append(slices.Clone(rules[i].Verbs), verb)
			}
		}
	}
	r.Rules = rules
	return r
}

// Write writes the Role as YAML, for `kubectl apply`.
func (r Role) Write(w io.Writer) error {
	text, err := yaml.MarshalWithOptions(r, yaml.IndentSequence(false), yaml.UseSingleQuote(false))
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write the Role: %w", err)
	}
	return nil
}
