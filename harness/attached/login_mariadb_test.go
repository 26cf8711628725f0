package attached

import (
	"testing"
	"time"
)

// TestOwnSessions: a probe's own login is no consumer's, also where the server's log
// tells of it before the probe does.
func TestOwnSessions(t *testing.T) {
	const dsn = "mysql://{{ .identifier }}:{{ .value }}@db.example:3306/shop"
	at := time.Now()
	of := func(session string) login {
		return login{service: "db", role: "one", session: sessionAt(dsn, session), at: at}
	}
	d := newDecisionReader(nil)
	check := func(when string, l login, now time.Time, wantOwn, wantUnsure bool) {
		t.Helper()
		d.mu.Lock()
		defer d.mu.Unlock()
		if own, unsure := d.isOwnSession(l, now); own != wantOwn || unsure != wantUnsure {
			t.Errorf("%s: got own %t and unsure %t, want %t and %t", when, own, unsure, wantOwn, wantUnsure)
		}
	}
	check("nobody probes", of("7"), at, false, false)
	done := d.probing("one")
	check("a probe is under way", of("7"), at, false, true)
	check("a probe is under way as another", login{role: "two", session: sessionAt(dsn, "7"), at: at}, at, false, false)
	check("a server without sessions", login{role: "one", at: at}, at, false, false)
	check("a probe that never tells", of("7"), at.Add(loginTimeout), false, false)
	d.owns(sessionAt("mysql://one:p%40ss@db.example:3306/shop", "7"))
	done(false)
	check("the probe's", of("7"), at, true, false)
	check("another one", of("8"), at, false, false)
	check("of another server", login{role: "one", session: sessionAt("mysql://a:b@other.example:3306/shop", "7"), at: at}, at, false, false)
}

func TestMariaDBAddresses(t *testing.T) {
	config, err := mariaDBConfig("mariadb://shop_a:p%40ss%2Fw%25rd@db.example/shop")
	if err != nil || config.User != "shop_a" || config.Passwd != "p@ss/w%rd" || config.Addr != "db.example:3306" || config.DBName != "shop" {
		t.Errorf("got %v, want its user, its value without quotes, its address and its database", err)
	}
	config, err = mariaDBConfig("mysql://shop_a:p%40ss@/shop?socket=/run/mysqld/mysqld.sock")
	if err != nil || config.Net != "unix" || config.Addr != "/run/mysqld/mysqld.sock" || config.DBName != "shop" {
		t.Errorf("a socket: got %v and %v, want its path and its database", config, err)
	}
	for _, dsn := range []string{"mysql://db.example/shop", "mysql://a:b@/shop", "mysql://a:b@db:x/shop"} {
		if _, err := mariaDBConfig(dsn); err != errDSN {
			t.Errorf("%s: got %v, want an error that quotes nothing", dsn, err)
		}
	}
}
