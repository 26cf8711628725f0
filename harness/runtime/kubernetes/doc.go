// Package kubernetes runs the services of a rehearsal in a cluster, in a namespace of
// the run that is removed with it.
//
//	namespace rehearse-RUN (labels: run; annotations: host, process, when it began)
//	├─ Lease rehearse           renewed while the harness lives
//	├─ Secret NAME-environment  all variables of a service, its configuration among them
//	├─ Secret NAME-files        what a kubelet mounts for it, or a ConfigMap
//	├─ Deployment NAME          one pod, of which another takes the place in a rollout
//	├─ Service NAME             its address inside; outside it is a port forwarded to loopback
//	└─ Job load                 Indexed, of as many pods as share the load, where several do
//
// What a kubelet and a rollout take they take: nothing here waits for them in a
// service's stead, or makes them quicker.
package kubernetes
