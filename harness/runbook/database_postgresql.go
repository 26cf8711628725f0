package runbook

// postgresql has one password for each role: an overlap needs a second role.
var postgresql = Database{
	Type: "postgresql", SwapsPool: true, Bounded: true, RotatedByVault: true, Poolers: []string{"pgbouncer"},
}
