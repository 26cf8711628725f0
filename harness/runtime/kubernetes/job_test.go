package kubernetes

import (
	"encoding/json"
	"errors"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// sharing is a runtime whose load two services share, beside a store.
func sharing(t *testing.T) *Runtime {
	t.Helper()
	return newTestRuntime(t,
		world.Spec{Name: "load-2", Serve: "load", Share: world.Share{Of: "load", Index: 1}, Config: &contract.Store{RootToken: "second"}},
		world.Spec{Name: "load-1", Serve: "load", Share: world.Share{Of: "load"}, Config: &contract.Store{RootToken: "first"}},
		world.Spec{Name: "store", Serve: "store", Config: &contract.Store{RootToken: "the-root-token"}},
	)
}

// TestSharesAreOneJob: services that share what one would do are the pods of one Indexed Job, each
// with its own configuration by its index, and one that ends is not started again.
func TestSharesAreOneJob(t *testing.T) {
	r := sharing(t)
	for i, name := range []string{"load-1", "load-2"} {
		s := r.service(name)
		workload, err := s.workload()
		if err != nil {
			t.Fatal(err)
		}
		job, is := workload.(*batchv1.Job)
		if !is || job.Name != "load" || s.named().GetName() != "load" {
			t.Fatalf("%s is %T %s, want the Job load", name, workload, workload.GetName())
		}
		spec := job.Spec
		if *spec.CompletionMode != batchv1.IndexedCompletion || *spec.Completions != 2 || *spec.Parallelism != 2 || *spec.BackoffLimitPerIndex != 0 || spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
			t.Errorf("%s: got %+v, want two pods at a time that are not started again", name, spec)
		}
		if c := spec.Template.Spec.Containers[0]; len(c.Env) != 1 || c.Env[0].Name != contract.IndexVariable || c.EnvFrom[0].SecretRef.Name != "load-environment" {
			t.Errorf("%s: got %+v and %+v, want its index, and the environment of both", name, c.Env, c.EnvFrom)
		}
		environment, err := s.variables()
		if err != nil {
			t.Fatal(err)
		}
		var configs []contract.Store
		if err := json.Unmarshal([]byte(environment[contract.Variable]), &configs); err != nil {
			t.Fatal(err)
		}
		if want := []string{"first", "second"}; len(configs) != 2 || configs[0].RootToken != want[0] || configs[1].RootToken != want[1] {
			t.Errorf("%s: got configurations %+v, want those of both by their index", name, configs)
		}
		if want := []string{"rehearse.dev/service=load,batch.kubernetes.io/job-completion-index=0", "rehearse.dev/service=load,batch.kubernetes.io/job-completion-index=1"}[i]; s.selector() != want {
			t.Errorf("%s is found by %s, want %s", name, s.selector(), want)
		}
	}
	if workload, err := r.service("store").workload(); err != nil || workload.GetName() != "store" || r.service("store").selector() != "rehearse.dev/service=store" {
		t.Errorf("the store: got %v %v, want a Deployment of its own", workload, err)
	}
}

// TestEndOfAShareIsTold: the end of a pod of a Job is told once, of the service that it was; a pod
// that is to end is not.
func TestEndOfAShareIsTold(t *testing.T) {
	r := sharing(t)
	var told []string
	r.o.OnExit = func(service string, err error) {
		if err == nil {
			t.Errorf("%s ended, with no error", service)
		}
		told = append(told, service)
	}
	r.located = map[string]string{}
	for _, s := range r.services {
		s.become(up)
	}
	r.service("load-1").become(ending)
	pod := func(index string) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{UID: "of-load", Labels: map[string]string{LabelService: "load", batchv1.JobCompletionIndexAnnotation: index}},
			Spec:       corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever},
			Status: corev1.PodStatus{PodIP: "10.0.0." + index, ContainerStatuses: []corev1.ContainerStatus{{
				Name: mainContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137}},
			}}},
		}
	}
	f := &followers{runtime: r, known: map[string]*follower{"of-load/0": {}}} // their logs were followed to the end
	for range 2 {
		f.see(t.Context(), []corev1.Pod{pod("0"), pod("1")})
	}
	if len(told) != 1 || told[0] != "load-2" {
		t.Errorf("told the ends of %v, want that of load-2 once", told)
	}
	if r.ServiceAt("10.0.0.1") != "load-2" || r.ServiceAt("10.0.0.0") != "load-1" {
		t.Errorf("got %s and %s at the addresses, want load-2 and load-1", r.ServiceAt("10.0.0.1"), r.ServiceAt("10.0.0.0"))
	}
	if err := whyNever(pod("1")); !errors.Is(err, launch.ErrEnded) {
		t.Errorf("got %v, want that it has ended", err)
	}
}
