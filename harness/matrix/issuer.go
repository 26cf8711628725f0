package matrix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// Issuer is one whose own rotation is looked at.
type Issuer struct {
	Name string // and its folder, with system.sh and its scenarios
	How  string // what is run
	// Lead is for how long it publishes a key before it signs by itself, with nobody
	// telling it and nothing set; 0: it signs with a key as soon as it publishes it, or
	// leaves the order to who rotates it.
	Lead time.Duration
	Told string // how it is told to rotate
	Says string // who says how long the old key stays
	Back string // whether there is a way back, and which
}

// Issuers are in the order of the table's columns.
var Issuers = []Issuer{
	{
		Name: "vault-identity", How: "Vault's identity/oidc, `verification_ttl` 1m", Lead: 24 * time.Hour,
		Told: "`POST identity/oidc/key/NAME/rotate`, or by itself each `rotation_period` (24h)",
		Says: "`verification_ttl` (24h) of the key, or of the one call; a minute more until it is gone",
		Back: "none",
	},
	{
		Name: "vault-transit", How: "Vault's transit engine, and an issuer of a few lines that names no version",
		Told: "`POST transit/keys/NAME/rotate`, or each `auto_rotate_period`; with the version named in `sign`, the order is the issuer's",
		Says: "`min_decryption_version`: it stays until somebody raises that",
		Back: "name the old version in `sign`, and lower `min_decryption_version`, until the key is trimmed",
	},
	{
		Name: "zitadel", How: "zitadel/oidc's provider, with a storage whose keys are rotated by hand",
		Told: "its storage is asked at each token which key signs, and at each fetch which are published",
		Says: "who rotates",
		Back: "all of it, in any order",
	},
	{
		Name: "hydra", How: "Ory Hydra, JWT access tokens",
		Told: "`POST /admin/keys/hydra.jwt.access-token`: the newest key of the set signs; nothing is done by itself",
		Says: "nobody: it stays until it is deleted",
		Back: "put the old key into the set again: as the newest, it signs",
	},
	{
		Name: "spire", How: "a SPIRE server, and its OIDC discovery provider", Lead: 8 * time.Hour,
		Told: "by itself: prepared at 1/2 and active at 5/6 of `ca_ttl` (24h); `spire-server localauthority jwt prepare`, `activate`",
		Says: "a day more than its life, or `taint` and `revoke`",
		Back: "none: only what is prepared can be activated",
	},
	{
		Name: "kube-apiserver", How: "kube-apiserver, ServiceAccount tokens",
		Told: "its flags `--service-account-signing-key-file` and `--service-account-key-file`, at each restart",
		Says: "its flags: as long as the key's file is named",
		Back: "name the old file again, and restart",
	},
}

// IssuerTable is that of issuers.
var IssuerTable = Table{
	By: "make issuers",
	Note: `
*Who says*, *how it is told* and *a way back* are its documentation's, and were tried by the rehearsals. The line of the verifier that caches for 15 minutes
is reckoned: that time, or the ` + "`max-age`" + ` where it is longer and jwx keeps to it, less the lead that the issuer keeps by itself.

Left out: **Dex**, of which Go's module proxy has nothing newer than v2.13.0 of 2018, which does not build with what its imports are today; **Keycloak** and
other issuers that are no Go programs, for want of a registry to have them from.
`,
	Questions: []Question{
		{Name: "lead", Asks: "one rotation, as it comes: published before it signs"},
		{Name: "stays", Asks: "the old key stays in the set after the new one signs"},
		{Name: "says", Asks: "who says how long it stays"},
		{Name: "cache-control", Asks: "`Cache-Control` of the key set"},
		{Name: "second", Asks: "a second rotation at once: published before it signs"},
		{Name: "set", Asks: "keys in the set after the second"},
		{Name: "told", Asks: "how it is told to rotate"},
		{Name: "back", Asks: "a way back"},
		{Name: "stale", Asks: "by default, a verifier that caches for 15 minutes (jwx, its least) refuses new tokens for"},
		{Name: "rehearsed", Asks: "rehearsed by attach: what came of it"},
	},
}

// System is an issuer that was brought up, with its verifiers, by its system.sh.
type System struct {
	Folder string        // of its system.sh
	State  string        // where it keeps what runs
	Bound  time.Duration // of each wait
}

// Do calls one of the functions of its system.sh, and returns what that prints.
func (s System) Do(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "./system.sh", args...)
	command.Dir = s.Folder
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	command.WaitDelay = time.Second // what it started keeps its output
	if err := command.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return "", fmt.Errorf("%s: system.sh %s: %w: %s", filepath.Base(s.Folder), strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// up brings it up anew, with nothing of before, and returns what takes it down.
func (s System) up(ctx context.Context) (down func() error, err error) {
	if err := errors.Join(os.RemoveAll(s.State), os.MkdirAll(s.State, 0o755)); err != nil {
		return nil, fmt.Errorf("make the folder of its state: %w", err)
	}
	down = func() error {
		_, err := s.Do(context.WithoutCancel(ctx), "down", s.State)
		return err
	}
	if _, err := s.Do(ctx, "up", s.State); err != nil {
		return nil, errors.Join(err, down())
	}
	return down, nil
}

// settled is how long a system is left alone after it came up: what it publishes then
// was there before the rotation.
const settled = 3 * time.Second

// Measure takes an issuer through one rotation, and another instance of it through two
// at once.
func (s System) Measure(ctx context.Context, i Issuer) (Row, error) {
	row := Row{Name: i.Name, How: i.How}
	say := func(question, text string) {
		row.Cells = append(row.Cells, Cell{Trial: question, Ended: true, Text: text})
	}
	first := func() error {
		w, down, err := s.watched(ctx)
		if err != nil {
			return err
		}
		row.Version, err = s.Do(ctx, "version")
		if err != nil {
			return errors.Join(err, down())
		}
		old, signed, err := s.rotated(ctx, w)
		if err != nil {
			return errors.Join(err, down())
		}
		row.Cells = append(row.Cells, w.lead("lead"))
		stays := Cell{Trial: "stays"}
		err = w.until(ctx, s.Bound, func() bool { return !w.inSet(old) })
		if stays.Ended = err == nil; stays.Ended {
			stays.Seconds = w.last[old].Sub(signed).Seconds()
		}
		row.Cells = append(row.Cells, stays)
		say("says", i.Says)
		say("cache-control", w.cacheControl())
		return down()
	}
	second := func() error {
		w, down, err := s.watched(ctx)
		if err != nil {
			return err
		}
		if _, _, err = s.rotated(ctx, w); err == nil {
			_, _, err = s.rotated(ctx, w)
		}
		if err == nil {
			row.Cells = append(row.Cells, w.lead("second"))
			say("set", fmt.Sprint(len(w.set.kids)))
		}
		return errors.Join(err, down())
	}
	err := first()
	if err == nil {
		err = second()
	}
	say("told", i.Told)
	say("back", i.Back)
	if c, ok := row.Cell("cache-control"); ok {
		say("stale", stale(i.Lead, c.Text))
	}
	return row, err
}

// watched brings a system up and begins to look at it.
func (s System) watched(ctx context.Context) (*Watch, func() error, error) {
	down, err := s.up(ctx)
	if err != nil {
		return nil, nil, err
	}
	keys, err := s.Do(ctx, "keys")
	if err != nil {
		return nil, nil, errors.Join(err, down())
	}
	w := NewWatch(func(ctx context.Context) (published, error) { return fetch(ctx, keys) }, func(ctx context.Context) (string, error) {
		token, err := s.Do(ctx, "token", "600")
		if err != nil {
			return "", err
		}
		kid := contract.KidOf(token)
		if kid == "" {
			return "", errors.New("the token names no key")
		}
		return kid, nil
	})
	if err := w.until(ctx, settled, func() bool { return false }); !errors.Is(err, errBound) {
		return nil, nil, errors.Join(err, down())
	}
	return w, down, nil
}

// rotated has the issuer rotate once, and waits until another key signs.
func (s System) rotated(ctx context.Context, w *Watch) (old string, at time.Time, err error) {
	old = w.signs
	if _, err := s.Do(ctx, "rotate"); err != nil {
		return old, at, err
	}
	if err := w.until(ctx, s.Bound, func() bool { return w.signs != old && w.inSet(w.signs) }); err != nil {
		return old, at, fmt.Errorf("wait for a token of another key than %s, which is in the set: %w", old, err)
	}
	return old, w.signed[w.signs], nil
}

// patient is how long a verifier keeps a key set that fetches no sooner for a key it does
// not know: the least of jwx v3 (runbook.Libraries).
const patient = 15 * time.Minute

// stale is for how long such a verifier refuses new tokens at the worst, by the lead
// that the issuer keeps by itself. It keeps a set for as long as max-age says, where that
// is more.
func stale(lead time.Duration, cacheControl string) string {
	cached := max(patient, maxAge(cacheControl))
	switch left := cached - lead; {
	case left <= 0:
		return "0"
	case cached > patient:
		return fmt.Sprintf("%s, which it takes from the max-age", seconds(left.Seconds()))
	default:
		return seconds(left.Seconds())
	}
}

// maxAge is that of a Cache-Control (RFC 9111 §5.2.2.1); 0 without one.
func maxAge(header string) time.Duration {
	for directive := range strings.SplitSeq(header, ",") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(directive), "max-age="); ok {
			d, err := time.ParseDuration(text + "s")
			if err == nil {
				return d
			}
		}
	}
	return 0
}
