package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// Object is one of the types of core, apps, batch or coordination, or an
// unstructured.Unstructured of any other kind in the table of resources.
type Object interface {
	runtime.Object
	metav1.Object
}

// resource is how the kind of an object stands in an address.
type resource struct {
	plural  string
	cluster bool // it is in no namespace
}

// resources are the kinds that a client reads and writes.
var resources = map[string]resource{
	"ConfigMap": {plural: "configmaps"}, "Event": {plural: "events"}, "Namespace": {"namespaces", true}, "Node": {"nodes", true},
	"Pod": {plural: "pods"}, "Secret": {plural: "secrets"}, "Service": {plural: "services"}, "ServiceAccount": {plural: "serviceaccounts"},
	"DaemonSet": {plural: "daemonsets"}, "Deployment": {plural: "deployments"}, "ReplicaSet": {plural: "replicasets"}, "StatefulSet": {plural: "statefulsets"},
	"CronJob": {plural: "cronjobs"}, "Job": {plural: "jobs"}, "Lease": {plural: "leases"},
	"NetworkPolicy": {plural: "networkpolicies"}, "Role": {plural: "roles"}, "RoleBinding": {plural: "rolebindings"},
}

// kindOf is what an object is, also where it does not say so itself.
func kindOf(o runtime.Object) (schema.GroupVersionKind, error) {
	if said := o.GetObjectKind().GroupVersionKind(); said.Kind != "" {
		return said, nil
	}
	kinds, _, err := scheme.ObjectKinds(o)
	if err != nil {
		return schema.GroupVersionKind{}, err
	}
	return kinds[0], nil
}

// at is a request about objects of a kind: of all, or of one by its name.
func (c *Client) at(verb string, kind schema.GroupVersionKind, name string) (*rest.Request, error) {
	r, known := resources[kind.Kind]
	if !known {
		return nil, fmt.Errorf("a %s is nothing that is read or written here", kind.Kind)
	}
	client, typed := c.versions[kind.GroupVersion()]
	if !typed { // what is not decoded needs no types
		client = c.versions[schema.GroupVersion{Version: "v1"}]
	}
	request := client.Verb(verb)
	if !typed {
		segments := []string{"/apis", kind.Group, kind.Version}
		if !r.cluster {
			segments = append(segments, "namespaces", c.namespace)
		}
		if segments = append(segments, r.plural); name != "" {
			segments = append(segments, name)
		}
		return request.AbsPath(segments...), nil
	}
	request = request.NamespaceIfScoped(c.namespace, !r.cluster).Resource(r.plural)
	if name != "" {
		request = request.Name(name)
	}
	return request, nil
}

// do sends a request about an object, and reads the answer into it.
func (c *Client) do(ctx context.Context, verb, doing string, o Object, name string, prepare func(*rest.Request) *rest.Request) error {
	kind, err := kindOf(o)
	if err != nil {
		return fmt.Errorf("%s an object: %w", doing, err)
	}
	request, err := c.at(verb, kind, name)
	if err != nil {
		return fmt.Errorf("%s %s %s: %w", doing, kind.Kind, o.GetName(), err)
	}
	if prepare != nil {
		request = prepare(request)
	}
	raw, err := request.Do(ctx).Raw()
	if err == nil {
		err = into(raw, o)
	}
	if err != nil {
		return fmt.Errorf("%s %s %s: %w", doing, kind.Kind, o.GetName(), err)
	}
	return nil
}

// into reads an answer into an object, of which nothing stays.
func into(raw []byte, o runtime.Object) error {
	if u, ok := o.(*unstructured.Unstructured); ok {
		return u.UnmarshalJSON(raw)
	}
	_, _, err := codecs.UniversalDeserializer().Decode(raw, nil, o)
	return err
}

// Get reads an object by its name. Of one that is not there IsNotFound is true.
func (c *Client) Get(ctx context.Context, name string, o Object) error {
	o.SetName(name)
	return c.do(ctx, "GET", "read", o, name, nil)
}

// List reads the objects of a list's kind (a *corev1.PodList) that have the labels
// of a selector, as "app=search"; "": all.
func (c *Client) List(ctx context.Context, selector string, list runtime.Object) error {
	kinds, _, err := scheme.ObjectKinds(list)
	if err != nil {
		return fmt.Errorf("list objects: %w", err)
	}
	kind := kinds[0]
	kind.Kind = kind.Kind[:len(kind.Kind)-len("List")]
	request, err := c.at("GET", kind, "")
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if selector != "" {
		request = request.Param("labelSelector", selector)
	}
	if err := request.Do(ctx).Into(list); err != nil {
		return fmt.Errorf("list %s in %s: %w", resources[kind.Kind].plural, c.namespace, err)
	}
	return nil
}

// Create makes an object. Of one that is there already IsAlreadyExists is true.
func (c *Client) Create(ctx context.Context, o Object) error {
	body, err := encoded(o)
	if err != nil {
		return err
	}
	return c.do(ctx, "POST", "make", o, "", func(r *rest.Request) *rest.Request {
		return r.Param("fieldManager", FieldManager).SetHeader("Content-Type", "application/json").Body(body)
	})
}

// Update writes an object as it is. Where somebody else has written it since it
// was read, IsConflict is true and nothing is written.
func (c *Client) Update(ctx context.Context, o Object) error {
	body, err := encoded(o)
	if err != nil {
		return err
	}
	return c.do(ctx, "PUT", "write", o, o.GetName(), func(r *rest.Request) *rest.Request {
		return r.Param("fieldManager", FieldManager).SetHeader("Content-Type", "application/json").Body(body)
	})
}

// Apply makes an object, or has it be as it is here, by server-side apply; what
// others wrote of it gives way.
func (c *Client) Apply(ctx context.Context, o Object) error {
	o.SetResourceVersion("")
	o.SetManagedFields(nil)
	body, err := encoded(o)
	if err != nil {
		return err
	}
	return c.do(ctx, "PATCH", "apply", o, o.GetName(), func(r *rest.Request) *rest.Request {
		return r.Param("fieldManager", FieldManager).Param("force", "true").SetHeader("Content-Type", string(types.ApplyYAMLPatchType)).Body(body)
	})
}

// Patch changes what a JSON merge patch (RFC 7396) has. With a resourceVersion in
// it, IsConflict is true where somebody else has written the object since.
func (c *Client) Patch(ctx context.Context, name string, patch any, o Object) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("encode a patch: %w", err)
	}
	o.SetName(name)
	return c.do(ctx, "PATCH", "patch", o, name, func(r *rest.Request) *rest.Request {
		return r.Param("fieldManager", FieldManager).SetHeader("Content-Type", string(types.MergePatchType)).Body(body)
	})
}

// Delete deletes an object with what belongs to it. One that is not there is
// deleted.
func (c *Client) Delete(ctx context.Context, o Object) error {
	return c.delete(ctx, o, &metav1.DeleteOptions{})
}

// Kill deletes an object, a Pod, without giving it time to end.
func (c *Client) Kill(ctx context.Context, o Object) error {
	return c.delete(ctx, o, &metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
}

func (c *Client) delete(ctx context.Context, o Object, options *metav1.DeleteOptions) error {
	kind, err := kindOf(o)
	if err != nil {
		return fmt.Errorf("delete an object: %w", err)
	}
	background := metav1.DeletePropagationBackground
	options.Kind, options.APIVersion, options.PropagationPolicy = "DeleteOptions", "v1", &background
	if uid := o.GetUID(); uid != "" { // that of its name which was meant
		options.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	body, err := json.Marshal(options)
	if err != nil {
		return fmt.Errorf("delete %s %s: %w", kind.Kind, o.GetName(), err)
	}
	request, err := c.at("DELETE", kind, o.GetName())
	if err == nil {
		err = request.SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error()
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s %s: %w", kind.Kind, o.GetName(), err)
	}
	return nil
}

// AwaitGone waits until an object is not there any more.
func (c *Client) AwaitGone(ctx context.Context, o Object) error {
	const again = 200 * time.Millisecond
	name := o.GetName()
	for {
		err := c.Get(ctx, name, o)
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("wait for the end of %s: %w; its finalizers are %v", name, ctx.Err(), o.GetFinalizers())
		case err != nil:
			return err
		}
		wait(ctx, again)
	}
}

// encoded is an object as JSON, which says what it is.
func encoded(o Object) ([]byte, error) {
	kind, err := kindOf(o)
	if err != nil {
		return nil, fmt.Errorf("encode an object: %w", err)
	}
	o.GetObjectKind().SetGroupVersionKind(kind)
	body, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", kind.Kind, o.GetName(), err)
	}
	return body, nil
}

// anyOf is a request about an object of any kind, by its resource.
func (c *Client) anyOf(verb string, of schema.GroupVersionResource, name string) *rest.Request {
	segments := []string{"/apis", of.Group, of.Version}
	if of.Group == "" {
		segments = []string{"/api", of.Version}
	}
	return c.versions[corev1.SchemeGroupVersion].Verb(verb).AbsPath(append(segments, "namespaces", c.namespace, of.Resource, name)...)
}

// Annotations are those of an object of any kind, by its resource.
func (c *Client) Annotations(ctx context.Context, of schema.GroupVersionResource, name string) (annotations map[string]string, resourceVersion string, err error) {
	raw, err := c.anyOf("GET", of, name).DoRaw(ctx)
	var is struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &is)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read %s/%s: %w", of.Resource, name, err)
	}
	return is.Metadata.Annotations, is.Metadata.ResourceVersion, nil
}

// SetAnnotation gives an object of any kind an annotation; nil takes it away. Where
// somebody has written the object since the resourceVersion, IsConflict is true.
func (c *Client) SetAnnotation(ctx context.Context, of schema.GroupVersionResource, name, resourceVersion, annotation string, value *string) error {
	metadata := map[string]any{"annotations": map[string]any{annotation: value}}
	if resourceVersion != "" {
		metadata["resourceVersion"] = resourceVersion
	}
	body, err := json.Marshal(map[string]any{"metadata": metadata})
	if err == nil {
		err = c.anyOf("PATCH", of, name).Param("fieldManager", FieldManager).SetHeader("Content-Type", string(types.MergePatchType)).Body(body).Do(ctx).Error()
	}
	if err != nil {
		return fmt.Errorf("annotate %s/%s: %w", of.Resource, name, err)
	}
	return nil
}
