package plan

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// Defaults of what a scenario leaves out.
const (
	DefaultSpeed    = 1
	DefaultSeed     = 1
	DefaultBaseline = runbook.Duration(5 * time.Minute)  // page time
	DefaultRefresh  = runbook.Duration(30 * time.Second) // page time
	DefaultSessions = 1
	DefaultPool     = 10  // connections of a consumer that keeps some
	DefaultRenewAt  = 0.8 // share of a token's life

	// Of a pooler, as PgBouncer 1.18 has them (config.md: pool_mode session is its
	// default too): default_pool_size, server_lifetime, server_login_retry and
	// query_wait_timeout, in page time.
	DefaultPoolerPool = 20
	DefaultPoolerLife = runbook.Duration(time.Hour)
	DefaultLoginRetry = runbook.Duration(15 * time.Second)
	PoolerQueryWait   = runbook.Duration(2 * time.Minute)
	DefaultMethod     = "GET"
	DefaultPath       = "/"
)

// or sets what has no value yet.
func or[T comparable](value *T, otherwise T) {
	var none T
	if *value == none {
		*value = otherwise
	}
}

// defaults fills in what the scenario leaves out, in a copy: the loaded scenario stays as it is.
func (b *builder) defaults() {
	or(&b.s.Gates, scenario.Enforce)
	if b.s.Gates == scenario.Enforce {
		or(&b.s.OnBudget, scenario.BudgetRollback)
	} else {
		or(&b.s.OnBudget, scenario.BudgetRecord)
	}
	or(&b.s.Speed, DefaultSpeed)
	or(&b.s.Seed, DefaultSeed)
	if !b.loaded.Says("baseline") {
		or(&b.s.Baseline, DefaultBaseline)
	}
	b.s.Services = maps.Clone(b.s.Services)
	for name, s := range b.s.Services {
		b.s.Services[name] = b.service(name, s)
	}
	b.except()
	b.s.Load = b.s.Spread()
	for i := range b.s.Load {
		b.client(&b.s.Load[i])
	}
}

func (b *builder) service(name string, s scenario.Service) scenario.Service {
	consumer := b.consumer(name)
	if s.External() {
		or(&s.Scale, scenario.ScaleNone)
		if b.s.Attach == nil { // else it has what it has
			b.external(name, &s)
		}
		return s
	}
	or(&s.Scale, scenario.ScaleFull)
	if consumer != nil && slices.Contains(b.family.CheckedBy, s.Serve) {
		or(&s.Library, consumer.Library)
	}
	if b.reads(s) {
		b.reading(&s, consumer)
	}
	switch {
	case slices.Contains(b.family.EmittedBy, s.Serve):
		if b.family.Authority {
			or(&s.Of, b.serving(b.family.CheckedBy))
		}
		if b.family.Pools {
			or(&s.Life, b.page.Format.LongestLife)
			or(&s.Pool, DefaultPool)
		}
	case slices.Contains(b.family.Poolers, s.Serve):
		or(&s.Of, b.serving(b.family.CheckedBy))
		or(&s.Life, DefaultPoolerLife)
		or(&s.Pool, DefaultPoolerPool)
		or(&s.Pooling, scenario.SessionPooling)
		or(&s.LoginRetry, DefaultLoginRetry)
	case slices.Contains(b.family.CheckedBy, s.Serve) && !b.family.Authority && !b.reads(s):
		or(&s.Of, b.emitter())
	}
	return s
}

// external fills in how an external service gets what is published, from what its settings use, and
// when it is made to reload.
func (b *builder) external(name string, s *scenario.Service) {
	or(&s.Distribution, b.brought(s.Gets()))
	if runbook.Mounted(s.Distribution) {
		b.mounted(s, b.consumer(name))
	}
	if s.Reload == nil || runbook.Way(s.Distribution) == runbook.File {
		return // a file that was written can be read at once
	}
	reload := *s.Reload
	if emitter := b.consumer(b.emitter()); emitter != nil && emitter.Name != "" {
		or(&reload.After, emitter.Refresh)
	}
	or(&reload.After, DefaultRefresh)
	s.Reload = &reload
}

// brought is the distribution for a service that can take one way of it: the page's where that amounts
// to the same.
func (b *builder) brought(way string) string {
	if page := b.page.Storage.Distribution; runbook.Way(page) == way {
		return page
	}
	return way
}

// mounted fills in when the file of a volume changes. A file mounted by subPath never does; an
// immutable object is replaced, and its consumer rolled out anew.
func (b *builder) mounted(s *scenario.Service, consumer *runbook.Consumer) {
	takes, _ := runbook.Arrives(s.Distribution)
	switch {
	case consumer != nil && consumer.SubPath:
		s.Pinned = true
	case b.page.Storage.Immutable:
		s.Reload = &scenario.Reload{Restart: true}
	default:
		or(&s.Delay, runbook.Duration(takes))
	}
}

// reading fills in how a service gets what is published. An emitter for a JWKS polls the store; an
// environment is not read again.
func (b *builder) reading(s *scenario.Service, consumer *runbook.Consumer) {
	or(&s.Distribution, b.page.Storage.Reaches())
	if s.Distribution == runbook.JWKS {
		s.Distribution = runbook.Poll
	}
	if s.Rollout > 0 {
		or(&s.Batches, scenario.DefaultBatches)
	}
	if runbook.Way(s.Distribution) == runbook.Env {
		return
	}
	if runbook.Mounted(s.Distribution) {
		b.mounted(s, consumer)
	}
	if consumer != nil {
		or(&s.Refresh, consumer.Refresh)
	}
	or(&s.Refresh, DefaultRefresh)
}

func (b *builder) client(c *scenario.Client) {
	or(&c.Sessions, DefaultSessions)
	together(c)
	if c.Endpoint != "" {
		c.Request.Method, c.Request.Path = http.MethodPost, contract.EventsPath+c.Endpoint
	}
	if c.Request.Protocol == string(protocol.GRPC) {
		c.Request.Method = http.MethodPost
	}
	or(&c.Request.Method, DefaultMethod)
	or(&c.Request.Path, DefaultPath)
	if c.Token == nil {
		return
	}
	token := *c.Token
	if token.File != "" {
		return // it stays as it is
	}
	or(&token.From, b.emitter())
	or(&token.Life, b.page.Format.LongestLife)
	or(&token.RenewAt, DefaultRenewAt)
	or(&token.OnRefusal, scenario.Keep)
	c.Token = &token
}

// emitter is the first on the page.
func (b *builder) emitter() string {
	for _, c := range b.page.Consumers {
		if c.Has(runbook.Emits) {
			return c.Name
		}
	}
	return ""
}

// serving is the first service, by name, that is one of these kinds.
func (b *builder) serving(kinds []string) string {
	for _, name := range b.names() {
		if slices.Contains(kinds, b.s.Services[name].Serve) {
			return name
		}
	}
	return ""
}
