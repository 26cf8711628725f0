package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// sendWithin bounds what is sent at the end of a run.
const sendWithin = 5 * time.Second

// ErrProtocol is in the chain of NewTelemetry's error where another protocol is asked for
// than the one that is built in.
var ErrProtocol = errors.New("OTLP is sent as http/protobuf")

// Telemetry sends a run as traces and metrics by OTLP (OpenTelemetry Protocol 1.10, over
// HTTP) to where the standard environment variables say; those that are not looked at
// here are read by the exporters.
type Telemetry struct {
	*Spans
	*Metrics
	close func(context.Context) error
}

var _ history.Listener = (*Telemetry)(nil)

// Asked reports whether the environment asks for OTLP: an endpoint is named for a signal,
// and nothing turns it off (OpenTelemetry specification, SDK environment variables).
func Asked(getenv func(string) string) (traces, metrics bool) {
	if getenv("OTEL_SDK_DISABLED") == "true" {
		return false, false
	}
	of := func(signal string) bool {
		endpoint := getenv("OTEL_EXPORTER_OTLP_ENDPOINT") + getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT")
		kind := getenv("OTEL_" + signal + "_EXPORTER")
		return endpoint != "" && (kind == "" || kind == "otlp")
	}
	return of("TRACES"), of("METRICS")
}

// NewTelemetry sends a run of a plan, and tells failed once of what could not be sent: the
// run goes on without. It is nil where the environment does not ask for it.
func NewTelemetry(ctx context.Context, p *plan.Plan, version string, getenv func(string) string, failed func(error)) (*Telemetry, error) {
	traces, metrics := Asked(getenv)
	if !traces && !metrics {
		return nil, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"} {
		if protocol := getenv(name); protocol != "" && protocol != "http/protobuf" {
			return nil, fmt.Errorf("%w, and %s asks for %q", ErrProtocol, name, protocol)
		}
	}
	var once sync.Once
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		once.Do(func() { failed(fmt.Errorf("send by OTLP, of which no more is told: %w", err)) })
	}))
	// What the environment says of the service stands over what is said here.
	from, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "rehearse"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read the OTEL variables: %w", err)
	}
	t := &Telemetry{Metrics: NewMetrics(p), close: func(context.Context) error { return nil }}
	end := t.close
	if metrics {
		exporter, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the OTEL variables of metrics: %w", err)
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(t.Metrics)
		provider := metric.NewMeterProvider(metric.WithResource(from), metric.WithReader(metric.NewPeriodicReader(exporter,
			metric.WithProducer(bridge.NewMetricProducer(bridge.WithGatherer(registry))))))
		end = provider.Shutdown
	}
	tracing := []trace.TracerProviderOption{trace.WithResource(from), trace.WithSampler(trace.NeverSample())}
	if traces {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the OTEL variables of traces: %w", err)
		}
		tracing = []trace.TracerProviderOption{trace.WithResource(from), trace.WithBatcher(exporter)}
	}
	tracer := trace.NewTracerProvider(tracing...)
	t.Spans = NewSpans(p, tracer.Tracer("github.com/rehearse-dev/rehearse"))
	t.close = func(ctx context.Context) error { return errors.Join(tracer.Shutdown(ctx), end(ctx)) }
	return t, nil
}

// Event takes one more event into account.
func (t *Telemetry) Event(e history.Event) {
	t.Spans.Event(e)
	t.Metrics.Event(e)
}

// Dropped counts events that were not heard.
func (t *Telemetry) Dropped(n int64) { t.Metrics.Dropped(n) }

// Close sends what was not sent yet, within 5 s.
func (t *Telemetry) Close() error {
	t.Spans.Close()
	ctx, cancel := context.WithTimeout(context.Background(), sendWithin)
	defer cancel()
	if err := t.close(ctx); err != nil {
		return fmt.Errorf("send the last of it by OTLP: %w", err)
	}
	return nil
}
