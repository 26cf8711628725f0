// Package cluster rehearses what runs in a Kubernetes cluster: it finds the workloads that a scenario names in a
// namespace that allows it, changes their Secrets and rolls them out as the steps say, undoes exactly that, and
// tells what kubelets and logs show. The role that it needs, and no more, is in role.go.
package cluster
