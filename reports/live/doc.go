// Package live tells a team's own monitoring of a run while it goes on: Metrics are
// scraped by Prometheus, Annotations mark phases and faults on the dashboards of Grafana,
// Telemetry sends traces and metrics by OTLP. All of them listen to the run's events and
// change nothing that is measured; a value of a secret is in none of those.
package live
