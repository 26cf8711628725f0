package kubernetes

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
)

const (
	// binaryFolder is where a server's image of another has the binary of stand-ins.
	binaryFolder = "/rehearse-bin"
	// noUser is the user and group that stand-ins run as: nobody in most systems.
	noUser = 65534
	// mainContainer is the container of a pod that is the service.
	mainContainer = "main"
	// leaves is how long a pod that is to end goes on answering, in seconds: until
	// every node has taken its address out of the Service.
	leaves = 2
)

func texts(values map[string]string) map[string][]byte {
	data := make(map[string][]byte, len(values))
	for name, value := range values {
		data[name] = []byte(value)
	}
	return data
}

func (s *service) meta(suffix string) metav1.ObjectMeta {
	name := s.object()
	if suffix != "" {
		name += "-" + suffix
	}
	return metav1.ObjectMeta{Name: name, Labels: s.runtime.labelsOf(s.object())}
}

func (s *service) secret(suffix string, data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: s.meta(suffix), Data: data}
}

// variables are all that a service's processes have in their environment.
func (s *service) variables() (map[string]string, error) {
	s.runtime.mu.Lock()
	defer s.runtime.mu.Unlock()
	environment, err := s.runtime.addresses.Environment(s.spec)
	if err != nil {
		return nil, err
	}
	if s.spec.Serve == "" {
		return environment, nil
	}
	config, err := s.configuration()
	if err != nil {
		return nil, err
	}
	environment[contract.Variable] = string(config)
	environment[contract.ControlVariable], environment[contract.TrustVariable] = s.spec.Control, s.spec.Trust
	environment[contract.ListenVariable] = ":" + strconv.Itoa(standInPort)
	return environment, nil
}

// static are the files of an image that stay as they are, by their keys.
func (s *service) static() (map[string][]byte, error) {
	s.runtime.mu.Lock()
	files, err := s.runtime.addresses.Files(s.spec)
	s.runtime.mu.Unlock()
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	for i, at := range slices.Sorted(maps.Keys(files)) {
		data[staticKey(i)] = []byte(files[at])
	}
	return data, nil
}

func staticKey(i int) string { return fmt.Sprintf("file-%d", i) }

func (s *service) address() *corev1.Service {
	return &corev1.Service{ObjectMeta: s.meta(""), Spec: corev1.ServiceSpec{
		Selector: map[string]string{LabelService: s.spec.Name},
		Ports:    []corev1.ServicePort{{Port: int32(s.spec.Port), TargetPort: intstr.FromInt(s.spec.Port)}},
	}}
}

func (s *service) healthPath() string {
	if s.spec.Health == "" && s.spec.Serve != "" {
		return contract.HealthPath
	}
	return s.spec.Health
}

// deployment is the service as the cluster runs it.
func (s *service) deployment() (*appsv1.Deployment, error) {
	pod, err := s.pod()
	if err != nil {
		return nil, err
	}
	one, none := intstr.FromInt(1), intstr.FromInt(0)
	return &appsv1.Deployment{ObjectMeta: s.meta(""), Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(1)),
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{LabelService: s.spec.Name}},
		Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &one, MaxUnavailable: &none}},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: s.runtime.labelsOf(s.spec.Name)}, Spec: pod},
	}}, nil
}

// pod is what it consists of.
func (s *service) pod() (corev1.PodSpec, error) {
	s.runtime.mu.Lock()
	command, err := s.runtime.addresses.Command(s.spec)
	s.runtime.mu.Unlock()
	if err != nil {
		return corev1.PodSpec{}, err
	}
	main := corev1.Container{
		Name: mainContainer, Image: s.spec.Image, ImagePullPolicy: corev1.PullIfNotPresent,
		EnvFrom:         []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: s.object() + "-environment"}}}},
		SecurityContext: s.confined(),
		ReadinessProbe:  s.readiness(),
		Lifecycle:       &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: leaves}}},
	}
	pod := corev1.PodSpec{
		AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
		TerminationGracePeriodSeconds: new(int64(leaves + int(launch.Grace.Seconds()))),
		SecurityContext:               &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
	}
	switch {
	case s.spec.Serve == "":
		main.Command, main.Args = s.spec.Entrypoint, command
		if s.spec.User != "" {
			user, err := strconv.ParseInt(s.spec.User, 10, 64)
			if err != nil {
				return corev1.PodSpec{}, fmt.Errorf("services.%s.user is %q: a cluster takes the number of a user", s.spec.Name, s.spec.User)
			}
			pod.SecurityContext.RunAsUser = &user
		}
	case s.spec.Base != "":
		main.Image, main.Command = s.spec.Base, []string{binaryFolder + "/rehearse", "serve", s.spec.Serve}
		volume := corev1.VolumeMount{Name: "binary", MountPath: binaryFolder}
		main.VolumeMounts = append(main.VolumeMounts, volume)
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "binary", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
		pod.InitContainers = []corev1.Container{{
			Name: "binary", Image: s.runtime.image, ImagePullPolicy: corev1.PullIfNotPresent, Args: []string{"serve", "copy", binaryFolder + "/rehearse"},
			VolumeMounts: []corev1.VolumeMount{volume}, SecurityContext: nobody(), Resources: limits(),
		}}
	default:
		main.Image, main.Args = s.runtime.image, []string{"serve", s.spec.Serve}
	}
	if s.spec.Serve != "" {
		main.Resources = limits()
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: "tmp", MountPath: "/tmp"})
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	}
	s.volumes(&pod, &main)
	pod.Containers = []corev1.Container{main}
	for n := range s.spec.Init {
		s.runtime.mu.Lock()
		command, err := s.runtime.addresses.Command(s.spec.Job(n))
		s.runtime.mu.Unlock()
		if err != nil {
			return corev1.PodSpec{}, err
		}
		job := main
		job.Name, job.Args, job.ReadinessProbe, job.Lifecycle = fmt.Sprintf("init-%d", n), command, nil, nil
		pod.InitContainers = append(pod.InitContainers, job)
	}
	return pod, nil
}

// volumes adds what is mounted: the files that stay, and those that a kubelet brings.
func (s *service) volumes(pod *corev1.PodSpec, main *corev1.Container) {
	if len(s.spec.Files) > 0 {
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "static", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: s.spec.Name + "-static"}}})
		for i, at := range slices.Sorted(maps.Keys(s.spec.Files)) {
			main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: "static", MountPath: at, SubPath: staticKey(i), ReadOnly: true})
		}
	}
	if s.spec.Folder == "" {
		return
	}
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "files", VolumeSource: s.source(nil)})
	if !s.spec.SubPath {
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: "files", MountPath: s.spec.Folder, ReadOnly: true})
	} else {
		for _, key := range s.runtime.keys(s.spec.Name) {
			main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: "files", MountPath: path.Join(s.spec.Folder, key), SubPath: key, ReadOnly: true})
		}
	}
	// A file at a path of its own is a volume at the folder of that path: mounted by
	// itself it would never change.
	items := map[string][]corev1.KeyToPath{}
	for at, leads := range s.spec.Links {
		items[path.Dir(at)] = append(items[path.Dir(at)], corev1.KeyToPath{Key: path.Base(leads), Path: path.Base(at)})
	}
	for i, folder := range slices.Sorted(maps.Keys(items)) {
		volume := fmt.Sprintf("files-%d", i)
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: volume, VolumeSource: s.source(items[folder])})
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: folder, ReadOnly: true})
	}
}

// source is the volume of what a kubelet brings; items are the keys that it has, nil all.
func (s *service) source(items []corev1.KeyToPath) corev1.VolumeSource {
	if s.spec.Brought == configMap {
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: s.spec.Name + "-files"}, Items: items}}
	}
	return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: s.spec.Name + "-files", Items: items}}
}

// readiness asks once a second, as the start and a rollout wait for it.
func (s *service) readiness() *corev1.Probe {
	if s.spec.Port == 0 {
		return nil
	}
	probe := &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 5, FailureThreshold: 3}
	if at := s.healthPath(); at != "" {
		probe.HTTPGet = &corev1.HTTPGetAction{Path: at, Port: intstr.FromInt(cmp.Or(s.spec.HealthPort, s.spec.Port))}
		if s.spec.HTTPS && s.spec.HealthPort == 0 { // kubelets hold its certificate against nothing, and have none themselves
			probe.HTTPGet.Scheme = corev1.URISchemeHTTPS
		}
	} else {
		probe.TCPSocket = &corev1.TCPSocketAction{Port: intstr.FromInt(s.spec.Port)}
	}
	return probe
}

// limits keep a defect of a stand-in to its pod. What it asks for is little, so that a
// small node takes all of a run; what a load of 20,000 requests a second takes is some 200 MiB.
func limits() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi"), corev1.ResourceCPU: resource.MustParse("10m")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")},
	}
}

// nobody has no rights at all, and writes to its volumes alone.
func nobody() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		RunAsUser: new(int64(noUser)), RunAsGroup: new(int64(noUser)), RunAsNonRoot: new(true),
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// confined takes from a service what it does without, as in any container
// (harness/runtime/docker): of a team's own only the way to more rights.
func (s *service) confined() *corev1.SecurityContext {
	switch {
	case s.spec.Serve == "" && s.spec.NewPrivileges:
		return nil
	case s.spec.Serve == "":
		return &corev1.SecurityContext{AllowPrivilegeEscalation: new(false)}
	case s.spec.Base != "": // its server gives its folder to another user and becomes that one
		return &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"}},
		}
	}
	return nobody()
}
