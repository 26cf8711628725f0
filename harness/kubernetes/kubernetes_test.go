package kubernetes

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestConnectTakesTheContextThatIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	text := `
apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}, {name: b, cluster: {server: "https://127.0.0.1:2"}}]
users: [{name: u, user: {token: x}}]
contexts: [{name: first, context: {cluster: a, user: u}}, {name: second, context: {cluster: b, user: u, namespace: shop}}]
current-context: first
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name                        string
		o                           Options
		address, context, namespace string
	}{
		{"the current one", Options{}, "https://127.0.0.1:1", "first", "default"},
		{"another", Options{Context: "second"}, "https://127.0.0.1:2", "second", "shop"},
		{"another namespace", Options{Context: "second", Namespace: "x"}, "https://127.0.0.1:2", "second", "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Kubeconfig = file
			client, err := Connect(c.o)
			if err != nil {
				t.Fatal(err)
			}
			if client.Address() != c.address || client.Context() != c.context || client.Namespace() != c.namespace {
				t.Errorf("connected to %s, context %s, namespace %s; want %s, %s, %s", client.Address(), client.Context(), client.Namespace(), c.address, c.context, c.namespace)
			}
		})
	}
	if _, err := Connect(Options{Kubeconfig: file, Context: "third"}); err == nil || !strings.Contains(err.Error(), "third") {
		t.Errorf("a context that is not there: %v, want an error that names it", err)
	}
}

func TestConnectSaysThatThereIsNoCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := Connect(Options{}); !errors.Is(err, ErrNoCluster) {
		t.Errorf("connect without a kubeconfig: %v, want ErrNoCluster", err)
	}
}

func TestLinesComeWhole(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	var got []string
	if err := lines(strings.NewReader("a\r\n\n"+long+"\nlast"), func(line []byte) { got = append(got, string(line)) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "", long, "last"}; !slices.Equal(got, want) {
		t.Errorf("%d lines, want %d: a, an empty one, one of 100,000, and what ends without a newline", len(got), len(want))
	}
}

func TestReadyIsWhatAServiceWouldSendTo(t *testing.T) {
	ready := corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	now := metav1.Now()
	for name, c := range map[string]struct {
		pod  corev1.Pod
		want bool
	}{
		"ready":     {corev1.Pod{Status: ready}, true},
		"not ready": {corev1.Pod{}, false},
		"ending":    {corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now}, Status: ready}, false},
	} {
		if got := Ready(&c.pod); got != c.want {
			t.Errorf("%s: ready is %v, want %v", name, got, c.want)
		}
	}
}

func TestRolledOut(t *testing.T) {
	two := int32(2)
	whole := appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 2}
	change := func(f func(*appsv1.DeploymentStatus)) appsv1.DeploymentStatus { s := whole; f(&s); return s }
	for name, c := range map[string]struct {
		status appsv1.DeploymentStatus
		want   bool
	}{
		"whole":                     {whole, true},
		"not looked at yet":         {change(func(s *appsv1.DeploymentStatus) { s.ObservedGeneration = 2 }), false},
		"an old one is there still": {change(func(s *appsv1.DeploymentStatus) { s.Replicas = 3 }), false},
		"one is not available":      {change(func(s *appsv1.DeploymentStatus) { s.AvailableReplicas = 1 }), false},
		"one is of the old":         {change(func(s *appsv1.DeploymentStatus) { s.UpdatedReplicas = 1 }), false},
	} {
		d := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: appsv1.DeploymentSpec{Replicas: &two}, Status: c.status}
		if got, stands := RolledOut(&d); got != c.want {
			t.Errorf("%s: rolled out is %v, want %v (%s)", name, got, c.want, stands)
		}
	}
}

func TestBoundedKeepsTheBeginning(t *testing.T) {
	b := bounded{most: 4}
	for _, text := range []string{"abc", "def", "ghi"} {
		if n, err := b.Write([]byte(text)); n != 3 || err != nil {
			t.Fatalf("write: %d, %v, want 3: whoever writes is not told", n, err)
		}
	}
	if b.String() != "abcd" {
		t.Errorf("kept %q, want abcd", b.String())
	}
}

func TestWaitEnds(t *testing.T) {
	if !wait(t.Context(), time.Nanosecond) {
		t.Error("a wait that was over says that it was broken off")
	}
}
