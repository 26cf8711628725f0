// Package kubernetes is the client of a cluster: whoever rehearses in one, and
// whoever is attached to what runs there, reaches it through here.
//
//	kubeconfig, --context, or the Pod that this is ─► Connect ─► Client
//	Client.In(namespace) ─► Get List Create Apply Update Patch Delete     objects
//	                     ─► Pods Logs Exec Forward                        what runs
//	                     ─► Restart AwaitRollout                          Deployments
//	                     ─► Hold Alive                                    Leases
//
// It is built on client-go's REST client and on the types of core, apps, batch and
// coordination alone: the typed clientset would bring the types of all other groups.
//
// A forward listens on loopback and goes to the pods that are ready, in turns, as
// a Service does. One that dies loses its connections and no others:
//
//	127.0.0.1:PORT ─► Forward ─┬─► API server ─► kubelet ─► pod a
//	                           └─► API server ─► kubelet ─► pod b
package kubernetes
