package cluster

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

func TestRoleNamesWhatIsTouchedAndNoMore(t *testing.T) {
	a := &scenario.Attach{
		Kubernetes: &scenario.Kubernetes{Namespace: "shop", Workloads: map[string]string{"search": "deployment/search-api", "edge": "app=edge,tier=web", "auth": "deployment/auth"}},
		Steps: map[string]scenario.Act{
			"accept": {Secret: &scenario.SecretWrite{Name: "keys"}, Rollout: "deployment/search-api"},
			"revoke": {Secret: &scenario.SecretWrite{Name: "keys"}, Annotate: &scenario.Annotate{On: "external-secrets.io/v1/externalsecrets/keys", Name: "force-sync"}},
			"emit":   {Annotate: &scenario.Annotate{On: "pods/edge", Name: "now"}},
		},
	}
	var text strings.Builder
	if err := RoleOf(a).Write(&text); err != nil {
		t.Fatal(err)
	}
	const want = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: rehearse
  namespace: shop
rules:
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [shop]
  verbs: [get]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, get, patch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [pods/portforward]
  verbs: [get, create]
- apiGroups: [apps]
  resources: [deployments]
  resourceNames: [auth]
  verbs: [get]
- apiGroups: [apps]
  resources: [deployments]
  resourceNames: [search-api]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [keys]
  verbs: [get, patch]
- apiGroups: [external-secrets.io]
  resources: [externalsecrets]
  resourceNames: [keys]
  verbs: [get, patch]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [rehearse.app.edge.tier.web, rehearse.deployment.auth, rehearse.deployment.search-api]
  verbs: [get, update, delete]
`
	if text.String() != want {
		t.Errorf("the Role is\n%s\nwant\n%s", text.String(), want)
	}
}

func TestExecIsInTheRoleWhereItIsAllowedOnly(t *testing.T) {
	a := &scenario.Attach{Kubernetes: &scenario.Kubernetes{Namespace: "shop", Workloads: map[string]string{"edge": "app=edge"}}}
	for _, exec := range []bool{false, true} {
		a.Kubernetes.Exec = exec
		var text strings.Builder
		if err := RoleOf(a).Write(&text); err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(text.String(), "pods/exec"); has != exec {
			t.Errorf("exec is %v and in the Role is %v:\n%s", exec, has, &text)
		}
	}
}
