// Package matrix measures what JWT libraries, and what issuers do while a key rotates.
//
// Each library is taken through the same Trials, by instances of its own, against a key
// server that is changed and broken on the way:
//
//	key server ◄── fetches ── service with the library ◄── tokens ── trial
//	     ▲──────────────────────── publishes, breaks ────────────────┘
//
// Each issuer rotates its own key, and is looked at; then it is rehearsed, by attach:
//
//	issuer ◄── key set, tokens ── Watch      rehearse test ──► its scenarios
package matrix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Library is one that is measured.
type Library struct {
	Name   string
	How    string            // what is run
	Module string            // its Go module, where it is no package of Debian's
	Folder string            // of its image, where no stand-in runs it
	Set    map[string]string // settings over its defaults; none: as it comes
	Speed  float64           // by which a stand-in divides its times; 0: none
	Only   []string          // the trials that it is taken through; none: all
	// Path is asked with a token, Health without one, where they are not / and /healthz.
	Path, Health string
}

// Libraries are in the order of the table's rows. The last two are no defaults.
var Libraries = []Library{
	{Name: "go-oidc", How: "oidc.NewRemoteKeySet", Module: "github.com/coreos/go-oidc/v3"},
	{Name: "keyfunc", How: "keyfunc.NewDefaultCtx", Module: "github.com/MicahParks/keyfunc/v3"},
	{Name: "jwx", How: "jwk.Cache", Module: "github.com/lestrrat-go/jwx/v3"},
	{Name: "pyjwt", How: "PyJWKClient", Folder: "pyjwt"},
	{Name: "jose", How: "createRemoteJWKSet", Folder: "jose"},
	{Name: "ruby-jwt", How: "the JWKS loader of its README", Folder: "ruby-jwt"},
	{Name: "mod_auth_openidc", How: "AuthType oauth20", Folder: "mod_auth_openidc"},
	{Name: "haproxy", How: "jwt_verify, keys from files", Folder: "haproxy"},
	{Name: "rabbitmq", How: "rabbitmq_auth_backend_oauth2 with jwks_url, asked by its management API", Folder: "rabbitmq", Path: "/api/whoami", Health: "/"},
	{Name: "oauth2-proxy", How: "--skip-jwt-bearer-tokens, its key set by --oidc-jwks-url", Module: "github.com/oauth2-proxy/oauth2-proxy/v7", Folder: "oauth2-proxy", Health: "/ping"},
	{Name: "kube-apiserver", How: "the OIDC authenticator of k8s.io/apiserver, in front of nothing", Module: "k8s.io/apiserver", Folder: "kube-authenticator"},
	{Name: "step-ca", How: "the OIDC provisioner of Smallstep's certificates, in front of nothing", Module: "github.com/smallstep/certificates", Folder: "step-ca"},
	{Name: "keyfunc", How: "at speed 60: refreshed every minute", Module: "github.com/MicahParks/keyfunc/v3", Speed: 60, Only: []string{"removed"}},
	{Name: "mod_auth_openidc", How: "OIDCJWKSRefreshInterval 300, its least", Folder: "mod_auth_openidc", Set: map[string]string{"JWKS_REFRESH": "300"}, Only: []string{"removed"}},
}

// Cell is what one trial of one library came to.
type Cell struct {
	Trial string `json:"trial"`
	// Ended says that what was waited for came, Seconds how long that took. Without
	// it the wait ended with the bound.
	Ended   bool    `json:"ended"`
	Seconds float64 `json:"seconds"`
	Fetches int     `json:"fetches"` // of the key set
	// Counts says that the trial asks how many Fetches there were.
	Counts bool `json:"counts,omitempty"`
	// Decides says that the trial asks whether something is taken: Accepted.
	Decides  bool `json:"decides,omitempty"`
	Accepted bool `json:"accepted,omitempty"`
	// Status is that of the last refusal (HTTP); 0: there was none.
	Status int `json:"status,omitempty"`
	// Text is what was seen, where that is no time and no count.
	Text string `json:"text,omitempty"`
}

// Row is what one library or issuer came to.
type Row struct {
	Name    string `json:"name"`
	How     string `json:"how"`
	Version string `json:"version"`
	Cells   []Cell `json:"cells"`
}

// Matrix is all that was measured.
type Matrix struct {
	Measured string  `json:"measured"` // the day, and that of rows that were measured later
	Bound    float64 `json:"bound_seconds"`
	Rows     []Row   `json:"rows"`
}

// Lab is where libraries are measured.
type Lab struct {
	Runtime world.Runtime
	Images  fs.FS         // the folders of their images
	Bound   time.Duration // of each wait
	Starts  int           // how many instances are started at a time
	Only    []string      // the libraries to measure; none: all
	Modules func(path string) (version string)
	// FirstLine is the first line of an instance's log: its package and version.
	FirstLine func(service string) string
	Progress  func(string)
}

// keysService is the name of the key server.
const keysService = "keys"

// Measure takes every library through its trials, all at the same time: they
// mostly wait.
func (l Lab) Measure(ctx context.Context) (*Matrix, error) {
	ring, err := newRing()
	if err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	if err := l.Runtime.Start(ctx, []world.Spec{{Name: keysService, Serve: "keys"}}); err != nil {
		return nil, err
	}
	m := &Matrix{Measured: time.Now().Format(time.DateOnly), Bound: l.Bound.Seconds()}
	var mu sync.Mutex
	group := new(errgroup.Group) // one that fails is no reason to end the others
	starting := make(chan struct{}, l.Starts)
	for i, library := range Libraries {
		m.Rows = append(m.Rows, Row{Name: library.Name, How: library.How, Version: l.version(library, "")})
		if len(l.Only) > 0 && !slices.Contains(l.Only, library.Name) {
			continue
		}
		for _, trial := range Trials {
			if len(library.Only) > 0 && !slices.Contains(library.Only, trial.Name) {
				continue
			}
			group.Go(func() error {
				s := &subject{name: fmt.Sprintf("m%d-%s", i, trial.Name), bound: l.Bound, ring: ring, path: cmp.Or(library.Path, "/"), keys: l.Runtime.URL(keysService, false)}
				s.maxAge = trial.Name == "max-age"
				starting <- struct{}{}
				err := l.start(ctx, s, library)
				<-starting
				if err != nil {
					return err
				}
				cell := trial.run(ctx, s)
				cell.Trial, cell.Status = trial.Name, s.status
				mu.Lock()
				defer mu.Unlock()
				m.Rows[i].Cells = append(m.Rows[i].Cells, cell)
				if v := l.version(library, s.name); v != "" {
					m.Rows[i].Version = v
				}
				l.Progress(fmt.Sprintf("%s %s: %s", library.Name, trial.Name, cell.text(m.Bound)))
				return s.err
			})
		}
	}
	err = group.Wait()
	for _, row := range m.Rows {
		slices.SortFunc(row.Cells, func(a, b Cell) int {
			return place(LibraryTable.Questions, a.Trial) - place(LibraryTable.Questions, b.Trial)
		})
	}
	return m, err
}

// place is where a trial is among all.
func place(all []Question, trial string) int {
	return slices.IndexFunc(all, func(q Question) bool { return q.Name == trial })
}

// start begins an instance, and warms it: it has taken a token of the one key.
func (l Lab) start(ctx context.Context, s *subject, library Library) error {
	s.publish(ctx, "k1")
	jwks := "{{ ." + keysService + ".url }}/" + s.name + "/jwks.json"
	spec := world.Spec{Name: s.name}
	if library.Folder == "" {
		spec.Serve = "verifier"
		spec.Config = &contract.Verifier{Name: s.name, Library: library.Name, JWKS: jwks, Issuer: issuer, Speed: max(1, library.Speed)}
	} else {
		folder, err := fs.Sub(l.Images, library.Folder)
		if err != nil {
			return err
		}
		spec.Build, spec.Port, spec.Health = &world.Build{Context: folder}, 8080, cmp.Or(library.Health, "/healthz")
		spec.Environment = map[string]string{"JWKS_URL": jwks, "ISSUER": issuer, "AUDIENCE": audience}
		for name, value := range library.Set {
			spec.Environment[name] = value
		}
	}
	if err := l.Runtime.Start(ctx, []world.Spec{spec}); err != nil {
		return err
	}
	s.url = l.Runtime.URL(s.name, false)
	for range 10 {
		if s.present(ctx, "k1") == taken {
			s.status = 0 // what it said while it started is no refusal of a trial
			return s.err
		}
		s.rest(ctx, each)
	}
	return errors.Join(s.err, fmt.Errorf("%s does not take a token of the only key", s.name))
}

// version is that of a library: as go.mod has it, or as its package says in the
// log of an instance.
func (l Lab) version(library Library, service string) string {
	if library.Module != "" {
		return l.Modules(library.Module)
	}
	if name, version, ok := strings.Cut(l.FirstLine(service), " "); ok {
		return version + " (Debian's " + name + ")"
	}
	return ""
}

// Over puts the rows of m that were measured over those of an earlier matrix, whose day
// stays that of the rows that it keeps.
func (m *Matrix) Over(earlier *Matrix) {
	var anew []string
	kept := false
	for i, row := range m.Rows {
		if len(row.Cells) > 0 {
			anew = append(anew, row.Name)
			continue
		}
		for _, before := range earlier.Rows {
			if before.Name == row.Name && before.How == row.How {
				m.Rows[i].Cells, m.Rows[i].Version = before.Cells, before.Version
				kept = true
			}
		}
	}
	if day := m.Measured; kept {
		m.Measured = earlier.Measured
		if len(anew) > 0 && day != earlier.Measured {
			m.Measured += ", " + strings.Join(slices.Compact(anew), ", ") + " on " + day
		}
	}
}
