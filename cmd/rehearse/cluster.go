package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// clusterUsers are the workloads that have a Secret, NAMESPACE/SECRET, in the cluster
// of the kubeconfig.
func clusterUsers(ctx context.Context, name string) ([]lint.ClusterUser, error) {
	namespace, secret, both := strings.Cut(name, "/")
	if !both || namespace == "" || secret == "" {
		return nil, usage(fmt.Errorf("--kubernetes %q: want NAMESPACE/SECRET", name))
	}
	client, err := kubernetes.Connect(kubernetes.Options{Namespace: namespace})
	if err != nil {
		return nil, usage(fmt.Errorf("--kubernetes: %w", err))
	}
	found, err := client.Users(ctx, secret)
	if err != nil {
		return nil, fmt.Errorf("--kubernetes: %w", err)
	}
	var users []lint.ClusterUser
	for _, u := range found {
		_, consumer, _ := strings.Cut(u.Workload, "/")
		users = append(users, lint.ClusterUser{Workload: u.Workload, Consumer: consumer, Ways: u.Ways,
			Keeps: slices.ContainsFunc(u.Ways, func(way string) bool { return way != kubernetes.Volume })})
	}
	return users, nil
}

// asAttached gives workloads their names in a scenario, and says which of them its steps roll out.
func asAttached(users []lint.ClusterUser, a *scenario.Attach) (named []lint.ClusterUser, rolledOut func(string) bool) {
	named = slices.Clone(users)
	if a == nil || a.Kubernetes == nil {
		return named, func(string) bool { return false }
	}
	for i := range named {
		for service, workload := range a.Kubernetes.Workloads {
			if workload == named[i].Workload {
				named[i].Consumer = service
			}
		}
	}
	return named, func(workload string) bool {
		for _, act := range a.Steps {
			if act.Rollout == workload {
				return true
			}
		}
		return false
	}
}
