package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// What is looked for where the workloads of a cluster are known.
var (
	clusterNotOnPage = Rule{"cluster-not-on-page", "whoever has the Secret in the cluster is on the page", notOnPage.Why}
	clusterKeeps     = Rule{"cluster-keeps-secret", "whoever has the Secret in the cluster gets what changes, or is rolled out",
		"what is mounted by subPath, or is in the environment, stays as it was when the pod started"}
)

// ClusterUser is a workload of a cluster whose pods have the secret.
type ClusterUser struct {
	Workload string   // as deployment/search-api
	Consumer string   // who that is on a page: the name of the workload, or the one that a scenario gives it
	Ways     []string // how, in words
	Keeps    bool     // one of the ways never changes while a pod lives
}

// Cluster holds the workloads that have a Secret against the consumers of a page.
// Rolled out says which of them a scenario's steps roll out.
func Cluster(page runbook.Runbook, at source.Position, users []ClusterUser, rolledOut func(workload string) bool) []Finding {
	var found []Finding
	for _, u := range users {
		how := strings.Join(u.Ways, " and ")
		f := Finding{Position: at, Level: Error, Path: "consumers", Consumer: u.Consumer}
		switch on := slices.ContainsFunc(page.Consumers, func(c runbook.Consumer) bool { return c.Name == u.Consumer }); {
		case !on:
			f.RuleID, f.Message = clusterNotOnPage.ID, fmt.Sprintf("%s has the Secret %s and is not on the page of %s", u.Workload, how, page.Scope.Name)
			f.Fix = "add it to the page's consumers, or take the Secret from it"
		case u.Keeps && !rolledOut(u.Workload):
			f.RuleID, f.Level = clusterKeeps.ID, Warning
			f.Message = fmt.Sprintf("%s has the Secret %s: its pods keep what they have until they are rolled out", u.Workload, how)
			f.Fix = "roll it out as a step (rollout: deployment/NAME), or mount the whole Secret as a volume and read that again"
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}
