package runbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/vaultpath"
)

// Values that a page can choose from.
var (
	Stores        = []string{"vault"}
	Distributions = []string{ConfigMap, Env, File, JWKS, Poll, SecretEnv, SecretVolume}
	// Reading are the ways in which one party can get what is published.
	Reading = []string{ConfigMap, Env, File, Poll, SecretEnv, SecretVolume}
	Roles   = []string{string(Emits), string(Validates)}
	Checks  = []string{"auth-failures", "availability", "canary", "distribution", "logs"}
)

// Standing are the harness's own services, which are in every rehearsal.
var Standing = []string{"load", "store"}

// Reserved are names that the harness's own services have in every rehearsal,
// or that mean something in settings: no consumer and no service can have them.
var Reserved = []string{"files", "load", "scaled", "secret", "store", "tls"}

// LibraryNames are the names of Libraries, sorted.
func LibraryNames() []string { return slices.Sorted(maps.Keys(Libraries)) }

// ServedNames are the names of those Libraries that a stand-in runs, sorted.
func ServedNames() []string {
	return slices.DeleteFunc(LibraryNames(), func(name string) bool { return !Libraries[name].Served })
}

// CheckHead reports a wrong apiVersion or kind.
func CheckHead(c *source.Checker, version, kind, wantKind string) {
	if version != APIVersion {
		c.Report("apiVersion", "", "is %q, want %q", version, APIVersion)
	}
	if kind != wantKind {
		c.Report("kind", "", "is %q, want %q", kind, wantKind)
	}
}

// CheckName reports a name that cannot be a host name of a rehearsal.
func CheckName(c *source.Checker, path, name string) {
	switch {
	case !source.IsLabel(name):
		c.Report(path, source.LabelHint, "%q cannot be a name", name)
	case slices.Contains(Reserved, name):
		c.Report(path, "choose another", "the name %q is the harness's own", name)
	}
}

// check reports all that is wrong with a page by itself.
func (r *Runbook) check(c *source.Checker) {
	CheckHead(c, r.APIVersion, r.Kind, Kind)
	c.OneOf("storage.store", r.Storage.Store, Stores)
	if p := r.Storage.Publish.Path; p != "" {
		if err := vaultpath.Published(p); err != nil {
			c.Report("storage.publish.path", "as secret/data/auth/signing-key: "+vaultpath.Hint, "%v", err)
		}
	}
	if r.Storage.Distribution == JWKS && !strings.HasPrefix(r.Storage.JWKS, "/") {
		c.Report("storage.jwks", "distribution jwks needs it, as /.well-known/jwks.json", "%q is not a path", r.Storage.JWKS)
	}
	if !Mounted(r.Storage.Distribution) && r.Storage.Immutable {
		c.Report("storage.immutable", "leave it out", "is for distribution secret-volume and config-map")
	}
	family, built := r.checkFamily(c)
	r.checkConsumers(c, family, built)
	for i, check := range r.Verification.Checks {
		c.OneOf(fmt.Sprintf("verification.checks[%d]", i), check, Checks)
	}
	if d := r.Schedule.NextReview; d != "" {
		if _, err := time.Parse(time.DateOnly, d); err != nil {
			c.Report("schedule.next_review", "write it as 2027-02-01", "%q is not a date", d)
		}
	}
}

// checkFamily holds a page against its family.
func (r *Runbook) checkFamily(c *source.Checker) (f FamilyTraits, built bool) {
	name := r.Scope.Family
	if !c.OneOf("scope.family", name, FamilyNames()) {
		return f, false
	}
	f = Traits[name]
	if d := r.Storage.Distribution; c.OneOf("storage.distribution", d, Distributions) && !slices.Contains(f.Distributions, d) {
		c.Report("storage.distribution", "takes "+strings.Join(f.Distributions, ", "), "%q is not built for family %s", d, name)
	}
	if t := r.Format.Type; t != "" && len(f.Types) > 0 && !slices.Contains(f.Types, t) {
		c.Report("format.type", source.DidYouMean(t, f.Types), "%q is no type of family %s", t, name)
	}
	if id := r.Format.Identifier; id != "" && id != f.Identifier {
		c.Report("format.identifier", "", "is %q, and family %s is told apart by %q", id, name, f.Identifier)
	}
	r.checkAlphabet(c, f)
	if f.Expires && r.Format.LongestLife <= 0 {
		c.Report("format.longest_life", f.Life, "family %s needs a longest life", name)
	}
	return f, true
}

// unbroken are the characters of ASCII that can be typed and stay on a line; { and }
// are those of the words in settings.
func unbroken(character rune) bool {
	return character >= ' ' && character <= '~' && character != '{' && character != '}'
}

// checkAlphabet holds the characters that values are to have against the family.
func (r *Runbook) checkAlphabet(c *source.Checker, f FamilyTraits) {
	const at = "format.alphabet"
	switch alphabet := r.Format.Alphabet; {
	case alphabet == "":
	case !f.Textual:
		c.Report(at, "leave it out", "is for secrets that are texts, and those of family %s are keys", f.Name)
	case slices.Contains(f.Encoded, r.Format.Type):
		c.Report(at, "leave it out", "a secret of type %s is base64, which has an alphabet of its own", r.Format.Type)
	case strings.ContainsFunc(alphabet, func(character rune) bool { return !unbroken(character) }):
		c.Report(at, `as "@/%#$\"'": characters of ASCII that can be typed, without { and }`, "has a character that no value can have")
	case len(alphabet) > mostCharacters:
		c.Report(at, "each of them is in every value", "has %d characters, at most are %d", len(alphabet), mostCharacters)
	}
}

// mostCharacters keeps values to a length that any place takes.
const mostCharacters = 32

// checkConsumers holds each consumer against the family and against the others.
func (r *Runbook) checkConsumers(c *source.Checker, f FamilyTraits, built bool) {
	first := map[string]int{}
	emits := false
	for i, consumer := range r.Consumers {
		path := fmt.Sprintf("consumers[%d]", i)
		if consumer.Name != "" {
			CheckName(c, path+".name", consumer.Name)
			if j, twice := first[consumer.Name]; twice {
				c.Report(path+".name", "", "consumer %q is given twice, first as consumers[%d]", consumer.Name, j)
			} else {
				first[consumer.Name] = i
			}
		}
		if len(consumer.Roles) == 0 {
			c.Report(path+".roles", "emit, validate or both", "has no role")
		}
		for j, role := range consumer.Roles {
			c.OneOf(fmt.Sprintf("%s.roles[%d]", path, j), string(role), Roles)
		}
		emits = emits || consumer.Has(Emits)
		c.OneOf(path+".library", consumer.Library, LibraryNames())
		if consumer.SubPath && !Mounted(r.Storage.Distribution) {
			c.Report(path+".sub_path", "leave it out", "is for distribution secret-volume and config-map")
		}
		if c.Has(path+".refresh") && consumer.Refresh <= 0 {
			c.Report(path+".refresh", "30s is usual", "must be more than 0")
		}
		bounded := consumer.Library != "" || (consumer.LearnsWithin != nil || consumer.Cooldown != nil) && consumer.ForgetsWithin != nil
		hint := "say its library, or learns_within and forgets_within"
		if built && consumer.Cooldown != nil && (f.Authority || f.Symmetric() || !consumer.Has(Validates)) {
			c.Report(path+".cooldown", "leave it out", "is for a validator that fetches a key set")
		}
		if f.Symmetric() {
			bounded = r.Storage.Reaches() == SecretEnv || consumer.Refresh > 0 || consumer.LearnsWithin != nil && consumer.ForgetsWithin != nil
			hint = "say its refresh: how often it reads the secret"
		}
		if built && !f.Authority && consumer.Has(Validates) && !bounded {
			c.Report(path, hint, "nothing says how long %q learns and forgets", consumer.Name)
		}
	}
	if !emits && len(r.Consumers) > 0 {
		c.Report("consumers", "who signs or presents with the secret has the role emit", "no consumer emits")
	}
	if len(r.Consumers) == 0 {
		c.Report("consumers", "", "the page has no consumer")
	}
}
