package runbook

import (
	"slices"
	"time"
)

// The ways in which a secret reaches its consumers in a Kubernetes cluster.
const (
	// SecretVolume and ConfigMap are mounted as files, which the kubelet writes anew
	// some time after the API server has what is new.
	SecretVolume = "secret-volume"
	ConfigMap    = "config-map"
	// SecretEnv is a Secret in the environment, which changes with a rollout.
	SecretEnv = "secret-env"
)

// kubernetes are the ways of a cluster.
var kubernetes = []string{ConfigMap, SecretEnv, SecretVolume}

// OfKubernetes reports whether a way is one of a cluster.
func OfKubernetes(distribution string) bool { return slices.Contains(kubernetes, distribution) }

// Mounted reports whether a way is a volume that a kubelet keeps.
func Mounted(distribution string) bool {
	return distribution == SecretVolume || distribution == ConfigMap
}

// Way is what a way of distribution is to the process that has the secret: Env, File,
// Poll or JWKS. Those of Kubernetes are files and environments too.
func Way(distribution string) string {
	switch distribution {
	case SecretVolume, ConfigMap:
		return File
	case SecretEnv:
		return Env
	}
	return distribution
}

const (
	// KubeletSync is the longest time between two looks of a kubelet at a pod that
	// nothing happens to: syncFrequency, 1m by default (kubelet.config.k8s.io/v1beta1),
	// and up to half of it more (pkg/kubelet/pod_workers.go:
	// workerResyncIntervalJitterFactor 0.5). Measured with Kubernetes 1.37.2: 50 to 83 s.
	KubeletSync = 90 * time.Second
	// KubeletCache is how much later a kubelet knows what the API server has, by the
	// watch that it keeps by default (configMapAndSecretChangeDetectionStrategy: Watch).
	// Measured with Kubernetes 1.37.2: 2 s at most, of a ConfigMap.
	KubeletCache = 2 * time.Second
	// RolloutWithin is the time after which a Deployment takes a rollout for stuck, by
	// its default (apps/v1 DeploymentSpec: progressDeadlineSeconds 600).
	RolloutWithin = 10 * time.Minute
)

// Arrives is how long what is published takes to its consumers by the defaults of
// Kubernetes, and in words of what that is made. 0: nothing is known of it.
func Arrives(distribution string) (d time.Duration, of string) {
	switch {
	case Mounted(distribution):
		return KubeletSync + KubeletCache, "sync and cache of a kubelet"
	case distribution == SecretEnv:
		return RolloutWithin, "a rollout"
	}
	return 0, ""
}

// ScalesTo is the largest speed at which kubelets that look at their pods at least once
// in sync bring what is published no later than the page has it, whose kubelets have
// their defaults: both scale but for the watch.
func ScalesTo(sync time.Duration) float64 {
	return float64(KubeletSync+KubeletCache) / float64(sync+KubeletCache)
}

// Reaches is the distribution of a page as it is rehearsed: what is immutable cannot
// change, so that what is new has another name, with which consumers are rolled out.
func (s Storage) Reaches() string {
	if s.Immutable && Mounted(s.Distribution) {
		return SecretEnv
	}
	return s.Distribution
}
