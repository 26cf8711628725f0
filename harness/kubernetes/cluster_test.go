package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// onCluster is a client of the cluster of `make kubernetes-up`, in a namespace that
// goes with the test.
func onCluster(t *testing.T, namespace string) *Client {
	t.Helper()
	file := os.Getenv("REHEARSE_KUBECONFIG")
	if file == "" {
		t.Skip("there is no cluster in REHEARSE_KUBECONFIG: `make test-kubernetes` brings one up")
	}
	c, err := Connect(Options{Kubeconfig: file, Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := c.Apply(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := errors.Join(c.Delete(ctx, n), c.AwaitGone(ctx, n)); err != nil {
			t.Errorf("delete the namespace: %v", err)
		}
	})
	return c
}

// hostPython is a pod with the machine's own Python, so that no image of it is needed.
func hostPython(command ...string) corev1.PodSpec {
	grace, no := int64(1), false
	spec := corev1.PodSpec{TerminationGracePeriodSeconds: &grace, AutomountServiceAccountToken: &no}
	of := corev1.Container{Name: "main", Image: "localhost/pause:1", ImagePullPolicy: corev1.PullNever, Command: command}
	for name, path := range map[string]string{"usr": "/usr", "lib": "/usr/lib", "lib64": "/usr/lib64"} {
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path}}})
		of.VolumeMounts = append(of.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: "/" + name, ReadOnly: true})
	}
	spec.Containers = []corev1.Container{of}
	return spec
}

// deployment runs some replicas of a pod.
func deployment(name string, replicas int32, spec corev1.PodSpec) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	none, one := intstr.FromInt32(0), intstr.FromInt32(1)
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &none, MaxSurge: &one}},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec},
	}}
}

// server answers with the name of its pod, and logs each request.
const server = `
import http.server, socket
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = socket.gethostname().encode()
        print("asked for", self.path, flush=True)
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("", 8080), H).serve_forever()`

func TestClusterOfAServer(t *testing.T) {
	c := onCluster(t, "client-server")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if version, err := c.Version(ctx); err != nil || !strings.HasPrefix(version, "v1.") {
		t.Fatalf("version: %q, %v", version, err)
	}
	spec := hostPython("/usr/bin/python3", "-c", server)
	spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromInt32(8080)}}, PeriodSeconds: 1}
	if err := c.Apply(ctx, deployment("web", 2, spec)); err != nil {
		t.Fatal(err)
	}
	if err := c.AwaitRollout(ctx, "web"); err != nil {
		t.Fatal(err)
	}
	f, err := c.Forward(ctx, "app=web", 8080)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	ask := func(path string) (string, error) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
		answer, err := client.Get("http://" + f.Address() + path)
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		return string(said), err
	}
	by := map[string]int{}
	for range 10 {
		pod, err := ask("/")
		if err != nil {
			t.Fatal(err)
		}
		by[pod]++
	}
	if len(by) != 2 {
		t.Errorf("10 requests were answered by %v, want two pods in turns", by)
	}

	var pods corev1.PodList
	if err := c.List(ctx, "app=web", &pods); err != nil {
		t.Fatal(err)
	}
	first := pods.Items[0]
	began := time.Now().Add(-time.Minute)
	following, stop := context.WithCancel(ctx)
	lines := make(chan string, 1000)
	followed := make(chan error, 1)
	go func() {
		followed <- c.Logs(following, first.Name, "", began, func(line []byte) { lines <- string(line) })
	}()
	one, err := c.Forward(ctx, "pod/"+first.Name, 8080)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get("http://" + one.Address() + "/marked")
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if string(said) != first.Name {
		t.Errorf("the forward to %s was answered by %s", first.Name, said)
	}
	for line := ""; !strings.Contains(line, "/marked"); {
		select {
		case line = <-lines:
		case <-ctx.Done():
			t.Fatal("the log of the pod never told of the request")
		}
	}
	stop()
	if err := <-followed; err != nil {
		t.Errorf("follow a log until it is not wanted any more: %v", err)
	}
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	if out, err := c.Exec(ctx, first.Name, "", "/usr/bin/hostname"); err != nil || strings.TrimSpace(out) != first.Name {
		t.Errorf("run hostname in %s: %q, %v", first.Name, out, err)
	}
	if _, err := c.Exec(ctx, first.Name, "", "/usr/bin/false"); err == nil {
		t.Error("run false: no error")
	}

	// A pod that dies takes nobody with it: the listener stays, and leads to the other.
	if err := c.Kill(ctx, &first); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for range 50 {
		if pod, err := ask("/"); err != nil || pod == first.Name {
			failed++
		}
	}
	if failed > 5 {
		t.Errorf("%d of 50 requests were not answered by a pod that lives, after one was killed", failed)
	}
	if err := c.AwaitRollout(ctx, "web"); err != nil {
		t.Fatal(err)
	}

	// A rollout, of which no new connection sees anything.
	rolled := make(chan error, 1)
	go func() {
		if err := c.Restart(ctx, "web", time.Now()); err != nil {
			rolled <- err
			return
		}
		rolled <- c.AwaitRollout(ctx, "web")
	}()
	asked, lost := 0, 0
	for done := false; !done; asked++ {
		if _, err := ask("/"); err != nil {
			lost++
		}
		select {
		case err := <-rolled:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Logf("rolled out in some %d requests, of which %d were lost", asked, lost)
	if lost*50 > asked {
		t.Errorf("%d of %d requests were lost in a rollout, want next to none", lost, asked)
	}
}

func TestClusterWritesRespectOthers(t *testing.T) {
	c := onCluster(t, "client-writes")
	ctx := t.Context()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"k": {0, 255, 10}}}
	if err := c.Create(ctx, s); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("make it again: %v, want that it is there", err)
	}
	stale := s.DeepCopy()
	if err := c.Patch(ctx, "s", map[string]any{"data": map[string]any{"k": []byte("x")}}, s); err != nil {
		t.Fatal(err)
	}
	stale.Data["k"] = []byte("y")
	if err := c.Update(ctx, stale); !apierrors.IsConflict(err) {
		t.Errorf("write what somebody else has written since: %v, want a conflict", err)
	}
	var is corev1.Secret
	if err := c.Get(ctx, "s", &is); err != nil || string(is.Data["k"]) != "x" {
		t.Errorf("it is %q, %v, want x", is.Data["k"], err)
	}
	other := is.DeepCopy()
	other.UID = "00000000-0000-0000-0000-000000000000"
	if err := c.Delete(ctx, other); !apierrors.IsConflict(err) {
		t.Errorf("delete another of its name: %v, want a conflict", err)
	}
	if err := errors.Join(c.Delete(ctx, &is), c.AwaitGone(ctx, &is), c.Delete(ctx, &is)); err != nil {
		t.Errorf("delete it, twice: %v", err)
	}
}

func TestClusterLease(t *testing.T) {
	c := onCluster(t, "client-lease")
	ctx := t.Context()
	l, err := c.Hold(ctx, "l", "me", map[string]string{"app.kubernetes.io/managed-by": FieldManager})
	if err != nil {
		t.Fatal(err)
	}
	if alive, err := c.Alive(ctx, "l"); !alive || err != nil {
		t.Errorf("it is held and alive is %v, %v", alive, err)
	}
	if _, err := c.Hold(ctx, "l", "you", nil); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "me") {
		t.Errorf("hold it too: %v, want that me has it", err)
	}
	if err := l.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if alive, err := c.Alive(ctx, "l"); alive || err != nil {
		t.Errorf("it was let go and alive is %v, %v", alive, err)
	}

	// One whose holder died is taken over; one whose clock is behind, and renews, is not.
	long := int32(2)
	past := metav1.NewMicroTime(time.Now().Add(-time.Hour))
	holder := "dead"
	dead := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "l"}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &long, RenewTime: &past}}
	if err := c.Create(ctx, dead); err != nil {
		t.Fatal(err)
	}
	renewing, stop := context.WithCancel(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		for n := 0; wait(renewing, 300*time.Millisecond); n++ {
			_ = c.Patch(ctx, "l", map[string]any{"spec": map[string]any{"holderIdentity": fmt.Sprint("behind", n)}}, &coordinationv1.Lease{})
		}
	}()
	if alive, err := c.Alive(ctx, "l"); !alive || err != nil {
		t.Errorf("its holder renews with a clock that is behind, and alive is %v, %v", alive, err)
	}
	stop()
	<-renewed
	taken, err := c.Hold(ctx, "l", "me", nil)
	if err != nil {
		t.Fatalf("take over from a dead holder: %v", err)
	}
	// Somebody else takes it by force: that is known soon, and it is not deleted.
	if err := c.Patch(ctx, "l", map[string]any{"spec": map[string]any{"holderIdentity": "thief"}}, &coordinationv1.Lease{}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(LeaseLife); taken.Lost() == nil; wait(ctx, 100*time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it was taken by somebody else, and that was not known")
		}
	}
	if err := taken.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(ctx, "l", &coordinationv1.Lease{}); err != nil {
		t.Errorf("let go of one that somebody else has: %v, want it to stay", err)
	}
}

func TestClusterPodsSayWhyTheyWait(t *testing.T) {
	c := onCluster(t, "client-waits")
	spec := hostPython("/usr/bin/true")
	spec.Containers[0].Image = "localhost/none:1"
	if err := c.Apply(t.Context(), deployment("none", 1, spec)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := c.AwaitPods(ctx, "app=none", func(pods []corev1.Pod) bool { return len(pods) == 1 && Ready(&pods[0]) })
	if err == nil || !strings.Contains(err.Error(), "ErrImageNeverPull") {
		t.Errorf("wait for a pod whose image is not there: %v, want why it waits", err)
	}
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

func TestClusterUsers(t *testing.T) {
	c := onCluster(t, "client-users")
	ctx := t.Context()
	idle := hostPython("/usr/bin/true")
	has := *idle.DeepCopy()
	has.RestartPolicy = corev1.RestartPolicyNever
	has.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}}
	nightly := &batchv1.CronJob{ObjectMeta: named("nightly"), Spec: batchv1.CronJobSpec{Schedule: "0 3 * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: has}}}}}
	if err := errors.Join(c.Apply(ctx, nightly), c.Apply(ctx, deployment("idle", 0, idle))); err != nil {
		t.Fatal(err)
	}
	users, err := c.Users(ctx, "s")
	if err != nil || len(users) != 1 || users[0].Workload != "cronjob/nightly" || !slices.Equal(users[0].Ways, []string{Environment}) {
		t.Errorf("who has the Secret: %v, %v, want cronjob/nightly in its environment", users, err)
	}
}
