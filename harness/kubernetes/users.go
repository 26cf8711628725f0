package kubernetes

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The ways in which a pod has a Secret, as WaysOf tells them.
const (
	Volume      = "as a volume"        // brought anew by the kubelet
	SubPath     = "by subPath"         // as it was when the pod started
	Environment = "in its environment" // as it was when the container started
)

// WaysOf are the ways in which any container of a pod has a Secret, or a key of it.
func WaysOf(spec *corev1.PodSpec, secret string) (ways []string) {
	var volumes []string
	for _, v := range spec.Volumes {
		projected := v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool { return s.Secret != nil && s.Secret.Name == secret })
		if projected || v.Secret != nil && v.Secret.SecretName == secret {
			volumes = append(volumes, v.Name)
		}
	}
	for _, of := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, m := range of.VolumeMounts {
			switch {
			case !slices.Contains(volumes, m.Name):
			case m.SubPath != "" || m.SubPathExpr != "":
				ways = append(ways, SubPath)
			default:
				ways = append(ways, Volume)
			}
		}
		all := slices.ContainsFunc(of.EnvFrom, func(e corev1.EnvFromSource) bool { return e.SecretRef != nil && e.SecretRef.Name == secret })
		if all || slices.ContainsFunc(of.Env, func(e corev1.EnvVar) bool {
			return e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && e.ValueFrom.SecretKeyRef.Name == secret
		}) {
			ways = append(ways, Environment)
		}
	}
	slices.Sort(ways)
	return slices.Compact(ways)
}

// User is a workload whose pods have a Secret.
type User struct {
	Workload string   // as deployment/search-api
	Ways     []string // as WaysOf tells them
}

// Users are the workloads of the namespace whose pods have a Secret, in the order of
// their kinds and names: also those that do not run now, as a CronJob does mostly. It
// needs to list deployments, statefulsets, daemonsets, jobs and cronjobs.
func (c *Client) Users(ctx context.Context, secret string) (users []User, err error) {
	add := func(kind string, o metav1.Object, spec *corev1.PodSpec) {
		if metav1.GetControllerOf(o) != nil {
			return // its owner is in the list: a Job of a CronJob
		}
		if ways := WaysOf(spec, secret); len(ways) > 0 {
			users = append(users, User{kind + "/" + o.GetName(), ways})
		}
	}
	var deployments appsv1.DeploymentList
	var stateful appsv1.StatefulSetList
	var daemons appsv1.DaemonSetList
	var jobs batchv1.JobList
	var crons batchv1.CronJobList
	for _, list := range []func() error{
		func() error { return c.List(ctx, "", &deployments) }, func() error { return c.List(ctx, "", &stateful) }, func() error { return c.List(ctx, "", &daemons) },
		func() error { return c.List(ctx, "", &jobs) }, func() error { return c.List(ctx, "", &crons) },
	} {
		if err := list(); err != nil {
			return nil, err
		}
	}
	for _, o := range deployments.Items {
		add("deployment", &o, &o.Spec.Template.Spec)
	}
	for _, o := range stateful.Items {
		add("statefulset", &o, &o.Spec.Template.Spec)
	}
	for _, o := range daemons.Items {
		add("daemonset", &o, &o.Spec.Template.Spec)
	}
	for _, o := range jobs.Items {
		add("job", &o, &o.Spec.Template.Spec)
	}
	for _, o := range crons.Items {
		add("cronjob", &o, &o.Spec.JobTemplate.Spec.Template.Spec)
	}
	return users, nil
}
