package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// FieldManager is under which name the API server keeps what this client wrote.
const FieldManager = "rehearse"

// ErrNoCluster is in the chain of Connect's error where nothing says which cluster.
var ErrNoCluster = errors.New("no kubeconfig says which cluster ($KUBECONFIG, ~/.kube/config), and this runs in none")

var (
	scheme = runtime.NewScheme()
	codecs = serializer.NewCodecFactory(scheme)
)

func init() {
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, coordinationv1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err) // two types of one name: a mistake in this file
		}
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	// client-go logs what it also returns as an error, and to the terminal.
	klog.SetLogger(klog.Logger{})
	klog.LogToStderr(false)
}

// Options say which cluster, as kubectl's flags do.
type Options struct {
	// Kubeconfig is a file; default $KUBECONFIG, then ~/.kube/config. Where there
	// is none, the cluster is that whose Pod this process runs in.
	Kubeconfig string
	Context    string // of the kubeconfig; default its current one
	Namespace  string // default the context's, and "default" where it says none
}

// Client reaches one namespace of a cluster. It is safe for concurrent use.
type Client struct {
	config    *rest.Config
	http      *http.Client
	versions  map[schema.GroupVersion]*rest.RESTClient
	namespace string
	context   string
}

// Connect finds out which cluster, and asks it nothing yet.
func Connect(o Options) (*Client, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	if Inside() && !slices.ContainsFunc(rules.GetLoadingPrecedence(), there) {
		o.Context = "" // of the kubeconfig of whoever wrote the scenario
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.Context}
	overrides.Context.Namespace = o.Namespace
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loaded.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, ErrNoCluster
	}
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	namespace, _, err := loaded.Namespace()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	context := o.Context
	if raw, err := loaded.RawConfig(); err == nil && context == "" {
		context = raw.CurrentContext
	}
	return connect(config, namespace, context)
}

func connect(config *rest.Config, namespace, context string) (*Client, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = FieldManager
	// A rehearsal asks as often as it has to measure; the API server guards itself
	// (priority and fairness).
	config.QPS = -1
	config.WarningHandlerWithContext = rest.NoWarnings{}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	c := &Client{config: config, http: client, versions: map[schema.GroupVersion]*rest.RESTClient{}, namespace: namespace, context: context}
	for _, version := range scheme.PrioritizedVersionsAllGroups() {
		of := rest.CopyConfig(config)
		of.GroupVersion, of.NegotiatedSerializer, of.APIPath = &version, codecs.WithoutConversion(), "/apis"
		if version.Group == "" {
			of.APIPath = "/api"
		}
		if c.versions[version], err = rest.RESTClientForConfigAndClient(of, client); err != nil {
			return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
		}
	}
	return c, nil
}

// In is the same client for another namespace.
func (c *Client) In(namespace string) *Client {
	other := *c
	other.namespace = namespace
	return &other
}

// As is the same client with the bearer token of somebody else, as of a
// ServiceAccount, and nothing else of what the kubeconfig says who it is.
func (c *Client) As(token string) (*Client, error) {
	config := rest.AnonymousClientConfig(c.config)
	config.BearerToken = token
	return connect(config, c.namespace, c.context)
}

// Namespace is that which the client acts in.
func (c *Client) Namespace() string { return c.namespace }

// Context is that of the kubeconfig; "" in a cluster.
func (c *Client) Context() string { return c.context }

// Address is that of the API server.
func (c *Client) Address() string { return c.config.Host }

// Version asks the API server which version it is, as v1.37.2. It is how to find
// out whether a cluster answers.
func (c *Client) Version(ctx context.Context) (string, error) {
	raw, err := c.versions[corev1.SchemeGroupVersion].Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", c.config.Host, err)
	}
	var is struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(raw, &is); err != nil || is.GitVersion == "" {
		return "", fmt.Errorf("ask %s for its version: it is no API server of Kubernetes", c.config.Host)
	}
	return is.GitVersion, nil
}

// there reports whether there is a file.
func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Inside reports whether this process runs in a Pod.
func Inside() bool { return os.Getenv("KUBERNETES_SERVICE_HOST") != "" }

// wait waits, or until ctx ends, and reports whether it did not.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
