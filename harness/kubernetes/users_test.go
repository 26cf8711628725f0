package kubernetes

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestWaysOf(t *testing.T) {
	volume := corev1.Volume{Name: "keys", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}}
	projected := corev1.Volume{Name: "keys", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}}}}}
	mount := func(subPath string) corev1.Container {
		return corev1.Container{VolumeMounts: []corev1.VolumeMount{{Name: "keys", SubPath: subPath}}}
	}
	key := corev1.Container{Env: []corev1.EnvVar{{Name: "K", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}}}}
	all := corev1.Container{EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}}}
	for name, c := range map[string]struct {
		spec corev1.PodSpec
		want []string
	}{
		"not mounted":           {corev1.PodSpec{Volumes: []corev1.Volume{volume}, Containers: []corev1.Container{{}}}, nil},
		"a volume":              {corev1.PodSpec{Volumes: []corev1.Volume{volume}, Containers: []corev1.Container{mount("")}}, []string{Volume}},
		"a projected one":       {corev1.PodSpec{Volumes: []corev1.Volume{projected}, Containers: []corev1.Container{mount("")}}, []string{Volume}},
		"by subPath":            {corev1.PodSpec{Volumes: []corev1.Volume{volume}, Containers: []corev1.Container{mount("a")}}, []string{SubPath}},
		"a key":                 {corev1.PodSpec{Containers: []corev1.Container{key}}, []string{Environment}},
		"all, and a volume":     {corev1.PodSpec{Volumes: []corev1.Volume{volume}, Containers: []corev1.Container{mount(""), all}}, []string{Volume, Environment}},
		"an init container has": {corev1.PodSpec{InitContainers: []corev1.Container{key}, Containers: []corev1.Container{{}}}, []string{Environment}},
	} {
		if got := WaysOf(&c.spec, "s"); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
