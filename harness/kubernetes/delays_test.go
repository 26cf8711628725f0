package kubernetes

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Flags of `make kubernetes-delays`: nothing is measured unless it is asked for.
var (
	delaysFile = flag.String("delays", "", "the `file` whose table gets another row of measured delays")
	delaysOf   = flag.String("kubelet", "the defaults: syncFrequency 1m", "the kubelet's `settings`, as the table has them")
	delayTurns = flag.Int("turns", 2, "how many times each is changed")
)

// TestClusterDelays measures how long what is written to the API server takes until a
// pod has it, with the kubelet's settings of the cluster that is there.
func TestClusterDelays(t *testing.T) {
	if *delaysFile == "" {
		t.Skip("delays are measured by `make kubernetes-delays`")
	}
	c := onCluster(t, "delays")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	const pods = 4
	write := func(value string) time.Time {
		if err := c.Apply(ctx, &corev1.Secret{Data: map[string][]byte{"v": []byte(value)}, ObjectMeta: named("s")}); err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(ctx, &corev1.ConfigMap{Data: map[string]string{"v": value}, ObjectMeta: named("c")}); err != nil {
			t.Fatal(err)
		}
		return time.Now()
	}
	write("0")
	mounted := hostPython("/usr/bin/sleep", "infinity")
	mounted.Volumes = append(mounted.Volumes,
		corev1.Volume{Name: "s", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}},
		corev1.Volume{Name: "c", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "c"}}}})
	mounted.Containers[0].VolumeMounts = append(mounted.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "s", MountPath: "/s"}, corev1.VolumeMount{Name: "c", MountPath: "/c"})
	environment := hostPython("/usr/bin/python3", "-c", server)
	environment.Containers[0].Env = []corev1.EnvVar{{Name: "V", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "v"}}}}
	environment.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt32(8080)}}, PeriodSeconds: 1}
	for _, d := range []*appsv1.Deployment{deployment("left", pods, mounted), deployment("annotated", pods, mounted), deployment("env", 2, environment)} {
		if err := c.Apply(ctx, d); err != nil {
			t.Fatal(err)
		}
		if err := c.AwaitRollout(ctx, d.Name); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	took := map[string][]time.Duration{}
	keep := func(what string, d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		took[what] = append(took[what], d)
	}
	for turn := range *delayTurns {
		// Not at one moment of the period: that of the pods differs, and so does this.
		wait(ctx, time.Duration(turn)*13*time.Second)
		value := fmt.Sprint(turn + 1)
		var all sync.WaitGroup
		at := write(value)
		seen := func(what, app, file string) {
			var list corev1.PodList
			if err := c.List(ctx, "app="+app, &list); err != nil {
				t.Error(err)
			}
			for _, p := range list.Items {
				all.Go(func() {
					for wait(ctx, 250*time.Millisecond) {
						if is, err := c.Exec(ctx, p.Name, "", "/usr/bin/cat", file); err == nil && is == value {
							keep(what, time.Since(at))
							return
						}
					}
				})
			}
		}
		seen("Secret, volume", "left", "/s/v")
		seen("ConfigMap, volume", "left", "/c/v")
		var list corev1.PodList
		if err := c.List(ctx, "app=annotated", &list); err != nil {
			t.Fatal(err)
		}
		for _, p := range list.Items {
			if err := c.SetAnnotation(ctx, schema.GroupVersionResource{Version: "v1", Resource: "pods"}, p.Name, "", "example.com/now", &value); err != nil {
				t.Fatal(err)
			}
		}
		seen("Secret, volume; the pod annotated after it", "annotated", "/s/v")
		all.Go(func() {
			if err := c.Restart(ctx, "env", at); err == nil {
				err = c.AwaitRollout(ctx, "env")
				if err != nil {
					t.Error(err)
				}
				keep("Secret, environment; 2 replicas rolled out", time.Since(at))
			}
		})
		all.Wait()
	}
	version, err := c.Version(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	for _, what := range []string{"Secret, volume", "ConfigMap, volume", "Secret, volume; the pod annotated after it", "Secret, environment; 2 replicas rolled out"} {
		d := took[what]
		slices.Sort(d)
		if len(d) == 0 {
			t.Fatalf("%s: nothing was measured", what)
		}
		fmt.Fprintf(&rows, "| %s (%s) | %s | %d | %.1f s | %.1f s | %.1f s |\n", *delaysOf, version, what, len(d), d[0].Seconds(), d[len(d)/2].Seconds(), d[len(d)-1].Seconds())
	}
	t.Logf("\n%s", &rows)
	file, err := os.OpenFile(*delaysFile, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString(rows.String())
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		t.Fatal(err)
	}
}
