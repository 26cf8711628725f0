package kubernetes

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// newTestRuntime is one that knows services and no cluster.
func newTestRuntime(t *testing.T, specs ...world.Spec) *Runtime {
	t.Helper()
	record, err := leftover.Create(t.TempDir(), "test")
	if err != nil {
		t.Fatal(err)
	}
	r := &Runtime{o: launch.Options{Record: record}.WithDefaults(), image: "rehearse:test", services: map[string]*service{}, addresses: launch.Addresses{}, files: map[string]map[string][]byte{}}
	if err := r.address(specs); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPodsAreConfined: a stand-in has no rights, no account and an end to its memory; a
// server that is somebody else's has those that it gives up; and no value of a
// configuration is in what describes a pod.
func TestPodsAreConfined(t *testing.T) {
	r := newTestRuntime(t,
		world.Spec{Name: "store", Serve: "store", Config: &contract.Store{RootToken: "the-root-token"}, Control: "the-control-token"},
		world.Spec{Name: "db", Serve: "postgres", Base: "postgres:17"},
		world.Spec{Name: "shop", Image: "acme/shop:1", Port: 80, Files: map[string]string{"/etc/shop.conf": "a"}, Environment: map[string]string{"KEY": "the-key"}},
	)
	for name, want := range map[string]struct {
		root, readOnly, limited bool
		added                   int
		image                   string
	}{
		"store": {readOnly: true, limited: true, image: "rehearse:test"},
		"db":    {root: true, limited: true, added: 6, image: "postgres:17"},
		"shop":  {root: true, image: "acme/shop:1"},
	} {
		d, err := r.service(name).deployment()
		if err != nil {
			t.Fatal(err)
		}
		pod := d.Spec.Template.Spec
		c := pod.Containers[0]
		is := c.SecurityContext
		if is.AllowPrivilegeEscalation == nil || *is.AllowPrivilegeEscalation {
			t.Errorf("%s may gain rights", name)
		}
		if root := is.RunAsNonRoot == nil || !*is.RunAsNonRoot; root != want.root {
			t.Errorf("%s may be root: %t, want %t", name, root, want.root)
		}
		if readOnly := is.ReadOnlyRootFilesystem != nil && *is.ReadOnlyRootFilesystem; readOnly != want.readOnly {
			t.Errorf("%s: its root cannot be written: %t, want %t", name, readOnly, want.readOnly)
		}
		if name != "shop" && (is.Capabilities == nil || len(is.Capabilities.Drop) != 1 || is.Capabilities.Drop[0] != "ALL" || len(is.Capabilities.Add) != want.added) {
			t.Errorf("%s has the capabilities %v, want all dropped and %d added", name, is.Capabilities, want.added)
		}
		if _, limited := c.Resources.Limits[corev1.ResourceMemory]; limited != want.limited {
			t.Errorf("%s: its memory has an end: %t, want %t", name, limited, want.limited)
		}
		if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
			t.Errorf("%s has the token of an account", name)
		}
		if c.Image != want.image {
			t.Errorf("%s runs %s, want %s", name, c.Image, want.image)
		}
		encoded, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{"the-root-token", "the-control-token", "the-key"} {
			if strings.Contains(string(encoded), value) {
				t.Errorf("the Deployment of %s has %s in it", name, value)
			}
		}
	}
}

// TestOwnEntrypointAndUser: an image of a team's own runs what the scenario says, as whom
// it says, and a cluster takes no name for that.
func TestOwnEntrypointAndUser(t *testing.T) {
	r := newTestRuntime(t,
		world.Spec{Name: "shop", Image: "acme/shop:1", Entrypoint: []string{"/run"}, Command: []string{"--fast"}, User: "1000"},
		world.Spec{Name: "named", Image: "acme/shop:1", User: "app"},
	)
	d, err := r.service("shop").deployment()
	if err != nil {
		t.Fatal(err)
	}
	pod := d.Spec.Template.Spec
	if c := pod.Containers[0]; !slices.Equal(c.Command, []string{"/run"}) || !slices.Equal(c.Args, []string{"--fast"}) || *pod.SecurityContext.RunAsUser != 1000 {
		t.Errorf("runs %q %q as %v, want /run --fast as 1000", c.Command, c.Args, pod.SecurityContext.RunAsUser)
	}
	if _, err := r.service("named").deployment(); err == nil || !strings.Contains(err.Error(), `services.named.user is "app"`) {
		t.Errorf("got %v, want an error that says which user", err)
	}
}

// TestInitContainers: what comes before a service is what the pod runs first, with all that the
// service has but what asks whether it is ready.
func TestInitContainers(t *testing.T) {
	r := newTestRuntime(t, world.Spec{
		Name: "shop", Image: "acme/shop:1", Port: 80, Health: "/healthz", Entrypoint: []string{"/run"}, Command: []string{"serve"},
		Init: [][]string{{"migrate", "{{ .shop.url }}"}, {"seed"}}, Files: map[string]string{"/etc/shop.conf": "a"},
	})
	d, err := r.service("shop").deployment()
	if err != nil {
		t.Fatal(err)
	}
	pod := d.Spec.Template.Spec
	if len(pod.InitContainers) != 2 || !slices.Equal(pod.InitContainers[0].Args, []string{"migrate", "http://shop:80"}) || !slices.Equal(pod.InitContainers[1].Args, []string{"seed"}) {
		t.Fatalf("got %+v, want migrate and then seed", pod.InitContainers)
	}
	if got := pod.Containers[0]; !slices.Equal(got.Args, []string{"serve"}) || got.ReadinessProbe == nil {
		t.Errorf("the service itself: got %q, asked by %v", got.Args, got.ReadinessProbe)
	}
	for _, c := range pod.InitContainers {
		if c.Image != "acme/shop:1" || !slices.Equal(c.Command, []string{"/run"}) || c.ReadinessProbe != nil || c.Lifecycle != nil || len(c.VolumeMounts) != 1 || len(c.EnvFrom) != 1 {
			t.Errorf("%s: got %+v, want what the service has, and no probe", c.Name, c)
		}
	}
}

// TestMounts: a folder is a volume, and by subPath each of its files is mounted by
// itself; a file at a path of its own is the volume of that path's folder, so that it changes.
func TestMounts(t *testing.T) {
	r := newTestRuntime(t,
		world.Spec{Name: "a", Serve: "charger", Folder: "/run/rehearse/a", Brought: runbook.SecretVolume},
		world.Spec{Name: "b", Serve: "charger", Folder: "/run/rehearse/b", Brought: runbook.ConfigMap, SubPath: true},
		world.Spec{Name: "c", Image: "shop", Folder: "/run/rehearse/c", Brought: runbook.SecretVolume, Links: map[string]string{"/etc/shop/key": "/run/rehearse/c/0-key"}},
	)
	r.files["b"] = map[string][]byte{"secret.json": nil}
	for name, want := range map[string]string{
		"a": "/tmp /run/rehearse/a", "b": "/tmp /run/rehearse/b/secret.json=secret.json", "c": "/run/rehearse/c /etc/shop",
	} {
		pod, err := r.service(name).pod()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range pod.Containers[0].VolumeMounts {
			at := m.MountPath
			if m.SubPath != "" {
				at += "=" + m.SubPath
			}
			got = append(got, at)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %s", name, got, want)
		}
		for _, v := range pod.Volumes {
			if strings.HasPrefix(v.Name, "files") && (v.ConfigMap != nil) != (name == "b") {
				t.Errorf("%s: %s is of the wrong kind", name, v.Name)
			}
		}
	}
}

// TestWhyNever tells what will not get ready from what is only not ready yet.
func TestWhyNever(t *testing.T) {
	waiting := func(reason string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Image: "acme/shop", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}
	}
	for _, tt := range []struct {
		name   string
		status corev1.ContainerStatus
		want   string
	}{
		{"being made", waiting("ContainerCreating"), ""},
		{"running", corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}, ""},
		{"no image", waiting("ErrImageNeverPull"), "no such image: the cluster does not have acme/shop and could not pull it: ErrImageNeverPull"},
		{"no image yet again", waiting("ImagePullBackOff"), "no such image"},
		{"cannot be made", waiting("CreateContainerConfigError"), "its container cannot be made"},
		{"ended", corev1.ContainerStatus{RestartCount: 1, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3}}}, "it ended before it was ready: exit status 3"},
		{"too large", corev1.ContainerStatus{RestartCount: 1, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}}}, "it ended before it was ready: exit status 137: out of memory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := whyNever(corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{tt.status}}})
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFrom(t *testing.T) {
	for line, want := range map[string]string{
		`{"msg":"a"}`: `{"pod":"p-1","msg":"a"}`, `plain`: `plain`, `{`: `{`, `{} and more`: `{} and more`, ``: ``,
	} {
		if got := string(from("p-1", []byte(line))); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}
