package scenario

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Kubernetes names a system in a cluster. Only a namespace that carries the label
// rehearse.dev/allow=true is rehearsed, and only what is named here, and in steps, is
// touched. `rehearse run --dry-run` prints the Role that this needs.
type Kubernetes struct {
	// Context is that of the kubeconfig; default its current one, or the cluster
	// in whose Pod rehearse runs.
	Context   string `yaml:"context,omitempty" json:"context,omitempty"`
	Namespace string `yaml:"namespace" json:"namespace"` // where the workloads run; it must carry the label rehearse.dev/allow=true
	// Workloads are, by service, what runs it: a Deployment, as deployment/search-api,
	// or the pods that have some labels, as app=search,tier=web. Each pod is a replica.
	Workloads map[string]string `yaml:"workloads" json:"workloads"`
	// Exec allows that pods are asked, by running readlink in them, when the kubelet
	// has brought a changed Secret; without it that is not seen.
	Exec bool `yaml:"exec,omitempty" json:"exec,omitempty"`
}

// SecretWrite writes to a Secret that is there. What it had before is put back, to
// the byte, on the way back, unless somebody else has changed it since.
type SecretWrite struct {
	Name string `yaml:"name" json:"name"` // that of the Secret, as search-api-key
	// Data are its values by key, as text. They may use {{ .value }}, that of the
	// credential by attach.value, and {{ .printed }}, what the command of the same step
	// printed.
	Data map[string]string `yaml:"data" json:"data"`
	// Patch leaves the keys that Data does not have as they are; else they go.
	Patch bool `yaml:"patch,omitempty" json:"patch,omitempty"`
}

// Annotate gives an object, or the pods of a workload, an annotation, as External
// Secrets and others are asked to act. What was there before is put back on the way back.
type Annotate struct {
	// On is deployment/NAME, secret/NAME, pods/SERVICE of attach.kubernetes.workloads, or
	// any other kind by GROUP/VERSION/RESOURCE/NAME, as
	// external-secrets.io/v1/externalsecrets/search-api.
	On   string `yaml:"on" json:"on"`
	Name string `yaml:"name" json:"name"` // that of the annotation, as force-sync
	// Value is that of the annotation; default the time at which it is written.
	Value string `yaml:"value,omitempty" json:"value,omitempty"`
}

// DeploymentPrefix is how a Deployment is named.
const DeploymentPrefix = "deployment/"

// kubernetesName is that of an object (RFC 1123), and annotationName that of an
// annotation, as the API server takes them.
var (
	kubernetesName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	annotationName = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
	secretKey      = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
	selector       = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_./]*=[-A-Za-z0-9_.]*(,[A-Za-z0-9][-A-Za-z0-9_./]*=[-A-Za-z0-9_.]*)*$`)
)

// Kube reports whether an act does something in a cluster.
func (a Act) Kube() bool { return a.Secret != nil || a.Rollout != "" || a.Annotate != nil }

// undoneBy are the steps of the way back, by those that they take back. Where such
// a step acts in a cluster its way back may be left out: it is undone exactly.
var undoneBy = map[string]string{"restore": "revoke", EmitBackStep: "emit", "withdraw": "accept"}

// Undoes is the step that one of the way back takes back, where nothing else is said
// for it than to undo what was done in the cluster; "" where it is not so.
func (a *Attach) Undoes(step string) string {
	if _, said := a.Steps[step]; said || !a.Steps[undoneBy[step]].Kube() {
		return ""
	}
	return undoneBy[step]
}

// kubernetes holds what is said of a cluster.
func (c check) kubernetes(k *Kubernetes) {
	const path = "attach.kubernetes"
	if !kubernetesName.MatchString(k.Namespace) {
		c.Report(path+".namespace", "a namespace that carries the label rehearse.dev/allow=true", "%q is no name of a namespace", k.Namespace)
	}
	if len(k.Workloads) == 0 {
		c.Report(path+".workloads", "as {search: deployment/search-api}", "names nothing to attach to")
	}
	for _, name := range slices.Sorted(maps.Keys(k.Workloads)) {
		workload := k.Workloads[name]
		deployment, ok := strings.CutPrefix(workload, DeploymentPrefix)
		if ok && !kubernetesName.MatchString(deployment) || !ok && !selector.MatchString(workload) {
			c.Report(path+".workloads."+name, "deployment/NAME, or labels as app=search,tier=web", "%q names no pods", workload)
		}
	}
}

// acts holds what an act does in a cluster.
func (c check) kube(path string, act Act, a *Attach) {
	if act.Kube() && a.Kubernetes == nil {
		c.Report(path, "say attach.kubernetes", "there is no cluster to act in")
		return
	}
	if s := act.Secret; s != nil {
		if !kubernetesName.MatchString(s.Name) {
			c.Report(path+".secret.name", "", "%q is no name of a Secret", s.Name)
		}
		if len(s.Data) == 0 {
			c.Report(path+".secret.data", "as {api-key: \"{{ .value }}\"}", "writes nothing")
		}
		for _, key := range slices.Sorted(maps.Keys(s.Data)) {
			if !secretKey.MatchString(key) {
				c.Report(path+".secret.data", "letters, digits, and - _ .", "%q is no key of a Secret", key)
			}
		}
	}
	if act.Rollout != "" {
		name, ok := strings.CutPrefix(act.Rollout, DeploymentPrefix)
		if !ok || !kubernetesName.MatchString(name) {
			c.Report(path+".rollout", "as deployment/search-api", "%q is no Deployment", act.Rollout)
		}
	}
	if n := act.Annotate; n != nil {
		if !annotationName.MatchString(n.Name) {
			c.Report(path+".annotate.name", "as force-sync, or example.com/refresh", "%q is no name of an annotation", n.Name)
		}
		parts := strings.Split(n.On, "/")
		service := parts[0] == "pods" && len(parts) == 2
		switch {
		case service && a.Kubernetes.Workloads[parts[1]] == "":
			c.Report(path+".annotate.on", "one of attach.kubernetes.workloads", "there is no workload %q", parts[1])
		case service, len(parts) == 2 && (parts[0] == "deployment" || parts[0] == "secret") && kubernetesName.MatchString(parts[1]):
		case len(parts) == 4 && !slices.Contains(parts, ""):
		default:
			c.Report(path+".annotate.on", "deployment/NAME, secret/NAME, pods/SERVICE, or GROUP/VERSION/RESOURCE/NAME", "%q names no object", n.On)
		}
	}
}
