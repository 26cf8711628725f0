package family

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestScramVerifier derives the keys again, with the salt that is in the
// verifier, as a server does at a login (RFC 5802 §3).
func TestScramVerifier(t *testing.T) {
	verifier, err := scramVerifier("pw_0123456789")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$`).FindStringSubmatch(verifier)
	if parts == nil {
		t.Fatalf("got %s, want the form that pg_authid has", verifier)
	}
	iterations, _ := strconv.Atoi(parts[1])
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	salted, err := pbkdf2.Key(sha256.New, "pw_0123456789", salt, iterations, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, salted)
	mac.Write([]byte("Client Key"))
	stored := sha256.Sum256(mac.Sum(nil))
	if got := base64.StdEncoding.EncodeToString(stored[:]); got != parts[3] {
		t.Errorf("stored key: got %s, want %s", parts[3], got)
	}
	if again, _ := scramVerifier("pw_0123456789"); again == verifier {
		t.Error("twice: got the same verifier, want a salt of its own each time")
	}
}

func TestDatabaseKind(t *testing.T) {
	two, one := databaseKind{page: "orders_db"}, databaseKind{page: "orders_db", single: true}
	if a, b := two.user("k1"), two.user("k2"); a == b {
		t.Errorf("two roles: got %s for both, want one each", a)
	}
	if a, b := one.user("k1"), one.user("k2"); a != b {
		t.Errorf("one role: got %s and %s, want the same", a, b)
	}
	entry, err := two.generate("k1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := two.parse(entry)
	if err != nil || c.identifier != "k1" || len(c.values) != 1 || c.values[0] != entry["password"] {
		t.Errorf("got %+v, %v, want what was generated", c, err)
	}
	for _, missing := range []string{"tag", "user", "password"} {
		broken := map[string]any{"tag": "k1", "user": "u", "password": "pw_0123456789"}
		delete(broken, missing)
		if _, err := two.parse(broken); err == nil || strings.Contains(err.Error(), "pw_0123456789") {
			t.Errorf("without %s: got %v, want an error without the password", missing, err)
		}
	}
}

// fakeSession is a session that is served for as long as it says.
type fakeSession struct{ served, closed bool }

func (s *fakeSession) works(context.Context) bool { return s.served }
func (s *fakeSession) close(context.Context)      { s.closed = true }

// TestOutlives: a held session counts for as long as it is served, and is let go
// when it is not.
func TestOutlives(t *testing.T) {
	s := &fakeSession{served: true}
	d := &databaseBound{held: map[string]databaseSession{"db k1": s}}
	if d.outlives(t.Context(), "db k2") {
		t.Error("without a session: got one that is served")
	}
	if !d.outlives(t.Context(), "db k1") || s.closed {
		t.Error("a session that is served: got it ended")
	}
	s.served = false
	if d.outlives(t.Context(), "db k1") || !s.closed || len(d.held) != 0 {
		t.Errorf("a session that was ended: got closed %t and %d held, want it closed and none", s.closed, len(d.held))
	}
}

// loginsOf is a database that lets everybody in.
type loginsOf struct {
	database
	sessions []*fakeSession
}

func (l *loginsOf) login(context.Context, credential, string) (databaseSession, loginResult, error) {
	s := &fakeSession{served: true}
	l.sessions = append(l.sessions, s)
	return s, loginResult{outcome: history.OK}, nil
}

// What is held is let go: by another that is held in its place, and at the end.
func TestHeldSessionsAreClosed(t *testing.T) {
	db := &loginsOf{}
	d := &databaseBound{
		steps:     &steps{credentials: map[string]credential{"k1": {identifier: "k1"}}},
		databases: map[string]database{"db": db}, held: map[string]databaseSession{},
	}
	for range 2 {
		if err := d.Hold(t.Context(), "k1", 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(db.sessions) != 2 || !db.sessions[0].closed || db.sessions[1].closed {
		t.Errorf("held twice: got %d sessions, want the first of two closed", len(db.sessions))
	}
	for range 2 { // a second time does no harm
		d.Close(t.Context())
	}
	if !db.sessions[1].closed || len(d.held) != 0 {
		t.Errorf("at the end: got closed %t and %d held, want it closed and none", db.sessions[1].closed, len(d.held))
	}
}
