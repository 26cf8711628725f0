package lint

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

func TestClusterNamesWhoIsNotOnThePageAndWhoKeepsTheSecret(t *testing.T) {
	page := runbook.Runbook{Consumers: []runbook.Consumer{{Name: "search"}, {Name: "edge"}, {Name: "billing"}}}
	page.Scope.Name = "session-keys"
	users := []ClusterUser{
		{Workload: "deployment/search-api", Consumer: "search", Ways: []string{"as a volume"}},
		{Workload: "deployment/edge", Consumer: "edge", Ways: []string{"in its environment"}, Keeps: true},
		{Workload: "deployment/billing", Consumer: "billing", Ways: []string{"in its environment"}, Keeps: true},
		{Workload: "cronjob/nightly", Consumer: "nightly", Ways: []string{"by subPath"}, Keeps: true},
	}
	found := Cluster(page, source.Position{}, users, func(workload string) bool { return workload == "deployment/billing" })
	var got [][3]string
	for _, f := range found {
		got = append(got, [3]string{f.RuleID, string(f.Level), f.Consumer})
	}
	want := [][3]string{{"cluster-keeps-secret", string(Warning), "edge"}, {"cluster-not-on-page", string(Error), "nightly"}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("found %v, want %v: who has it as a volume, or is rolled out, is well", got, want)
	}
}
