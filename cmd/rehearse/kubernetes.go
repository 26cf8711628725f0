package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/attached/cluster"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// kubernetesCommand is `rehearse kubernetes`.
func kubernetesCommand() *cobra.Command {
	command := &cobra.Command{Use: "kubernetes", Short: "What a rehearsal needs in a Kubernetes cluster"}
	image := ""
	manifests := &cobra.Command{
		Use:   "manifests SCENARIO",
		Short: "Print what rehearses an attached scenario in its cluster, as YAML",
		Long: "Print what rehearses an attached scenario from inside its cluster: a ServiceAccount, the Role\n" +
			"that it needs and no more, its binding, and a Job whose exit code is that of the rehearsal.\n" +
			"The Job takes the folder of the scenario from the ConfigMap rehearse, which you make of it:\n\n" +
			"    kubectl -n NAMESPACE create configmap rehearse --from-file=FOLDER",
		Args:              arguments(cobra.ExactArgs(1)),
		ValidArgsFunction: completingScenarios,
		RunE: func(command *cobra.Command, args []string) error {
			loaded, err := loadScenario(args[0])
			if err != nil {
				return err
			}
			p, err := plan.Build(loaded, plan.Options{})
			if err != nil {
				return err
			}
			if a := p.Rehearsal.Attach; a == nil || a.Kubernetes == nil {
				return usage(fmt.Errorf("%s is not attached to a cluster: say attach.kubernetes", args[0]))
			}
			return writeManifests(command.OutOrStdout(), p, filepath.Base(args[0]), image)
		},
	}
	manifests.Flags().StringVar(&image, "image", "rehearse:dev", "`IMAGE` with rehearse and what the commands of its steps need")
	command.AddCommand(manifests)
	return command
}

// writeManifests writes the manifests with which a plan is rehearsed in its cluster.
func writeManifests(w io.Writer, p *plan.Plan, file, image string) error {
	k := p.Rehearsal.Attach.Kubernetes
	type object = yaml.MapSlice
	metadata := object{{Key: "name", Value: "rehearse"}, {Key: "namespace", Value: k.Namespace}}
	said := func(version, kind string, rest ...yaml.MapItem) object {
		return append(object{{Key: "apiVersion", Value: version}, {Key: "kind", Value: kind}, {Key: "metadata", Value: metadata}}, rest...)
	}
	const rbac = "rbac.authorization.k8s.io"
	container := object{
		{Key: "name", Value: "rehearse"}, {Key: "image", Value: image},
		{Key: "args", Value: []string{"run", "--runtime", "process", "--ui", "plain", "--yes", "--out", "/runs/run", "/scenario/" + file}},
		{Key: "volumeMounts", Value: []object{
			{{Key: "name", Value: "scenario"}, {Key: "mountPath", Value: "/scenario"}}, {{Key: "name", Value: "runs"}, {Key: "mountPath", Value: "/runs"}},
		}},
	}
	// No retries: a rotation that failed half-way is for a person to look at.
	job := object{
		{Key: "backoffLimit", Value: 0},
		{Key: "template", Value: object{{Key: "spec", Value: object{
			{Key: "serviceAccountName", Value: "rehearse"}, {Key: "restartPolicy", Value: "Never"}, {Key: "containers", Value: []object{container}},
			{Key: "volumes", Value: []object{
				{{Key: "name", Value: "scenario"}, {Key: "configMap", Value: object{{Key: "name", Value: "rehearse"}}}},
				{{Key: "name", Value: "runs"}, {Key: "emptyDir", Value: object{}}},
			}},
		}}}},
	}
	var role strings.Builder
	if err := cluster.RoleOf(p.Rehearsal.Attach).Write(&role); err != nil {
		return err
	}
	var texts []string
	for _, o := range []any{
		said("v1", "ServiceAccount"), role.String(),
		said(rbac+"/v1", "RoleBinding",
			yaml.MapItem{Key: "roleRef", Value: object{{Key: "apiGroup", Value: rbac}, {Key: "kind", Value: "Role"}, {Key: "name", Value: "rehearse"}}},
			yaml.MapItem{Key: "subjects", Value: []object{{{Key: "kind", Value: "ServiceAccount"}, {Key: "name", Value: "rehearse"}, {Key: "namespace", Value: k.Namespace}}}}),
		said("batch/v1", "Job", yaml.MapItem{Key: "spec", Value: job}),
	} {
		if text, ok := o.(string); ok {
			texts = append(texts, text)
			continue
		}
		text, err := yaml.Marshal(o)
		if err != nil {
			return fmt.Errorf("write manifests: %w", err)
		}
		texts = append(texts, string(text))
	}
	if _, err := io.WriteString(w, strings.Join(texts, "---\n")); err != nil {
		return fmt.Errorf("write manifests: %w", err)
	}
	return nil
}
