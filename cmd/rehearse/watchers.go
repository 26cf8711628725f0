package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/reports/live"
)

// grafanaTokenEnv is the variable with the token for --grafana, which is on no command line.
const grafanaTokenEnv = "REHEARSE_GRAFANA_TOKEN"

// watch connects a team's own monitoring to a run, where the flags ask for it. An error names a wrong
// flag; end ends what was begun.
func (f *runFlags) watch(p *plan.Plan, o *harness.Options) (end func(), err error) {
	if f.grafana != "" {
		if at, err := url.Parse(f.grafana); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
			return nil, usage(fmt.Errorf("--grafana: %q is no address: want http://HOST:PORT", f.grafana))
		}
		progress := o.Progress
		o.Listeners = append(o.Listeners, live.NewAnnotations(p, f.grafana, os.Getenv(grafanaTokenEnv), func(err error) { progress(err.Error()) }))
	}
	sent, err := telemetry(p, o, os.Getenv)
	if err != nil || f.metrics == "" {
		return sent, err
	}
	served, err := f.serveMetrics(p, o)
	if err != nil {
		sent()
		return nil, err
	}
	return func() { sent(); served() }, nil
}

// serveMetrics serves the figures of a run to Prometheus until end.
func (f *runFlags) serveMetrics(p *plan.Plan, o *harness.Options) (end func(), err error) {
	host, port, err := net.SplitHostPort(f.metrics)
	if err != nil {
		return nil, usage(fmt.Errorf("--metrics: %q is no address: want HOST:PORT, or :PORT of this machine alone", f.metrics))
	}
	if host == "" {
		host = "127.0.0.1" // 0.0.0.0 lets others in
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, usage(fmt.Errorf("--metrics: %w", err))
	}
	metrics := live.NewMetrics(p)
	o.Listeners = append(o.Listeners, metrics)
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	o.Progress(fmt.Sprintf("metrics are at http://%s/metrics", listener.Addr()))
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			server.Close() // cuts off a scrape under way
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			o.Progress("metrics: " + err.Error())
		}
	}, nil
}

// telemetry sends a run by OTLP, where the environment asks for it.
func telemetry(p *plan.Plan, o *harness.Options, getenv func(string) string) (end func(), err error) {
	if o.Simulates(p) {
		return func() {}, nil // virtual time: no collector could show it
	}
	progress := o.Progress
	t, err := live.NewTelemetry(context.Background(), p, version(), getenv, func(err error) { progress(err.Error()) })
	if err != nil {
		return nil, usage(err)
	}
	if t == nil {
		return func() {}, nil
	}
	o.Listeners = append(o.Listeners, t)
	return func() {
		if err := t.Close(); err != nil {
			progress(err.Error())
		}
	}, nil
}
