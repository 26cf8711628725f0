package attached

import (
	"context"
	"maps"
	"slices"
	"time"
)

// lister is a connection that can list the other connections of its user, which servers show to
// everybody.
type lister interface {
	others(ctx context.Context) ([]peerConnection, error)
}

// peerConnection is another connection of the same user: the server's name of it, the name that its client gave
// it, and for how many seconds it has not been used.
type peerConnection struct {
	process, name string
	unused        float64
}

// others lists those of the same role: pg_stat_activity shows no more (28.2.3).
func (c postgresConnection) others(ctx context.Context) ([]peerConnection, error) {
	rows, err := c.conn.Query(ctx, `SELECT pid::text, coalesce(application_name, ''), CASE state WHEN 'idle' THEN extract(epoch FROM clock_timestamp() - state_change)::float8 ELSE 0 END
		FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []peerConnection
	for rows.Next() {
		var o peerConnection
		if err := rows.Scan(&o.process, &o.name, &o.unused); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

// aMariaDBReplica names the connection of a replica, which logs in as others do and gives no name.
const aMariaDBReplica = "replica (CHANGE MASTER)"

// others lists those of the same user, for which no right is needed.
func (c mariaDBConnection) others(ctx context.Context) ([]peerConnection, error) {
	rows, err := c.conn.QueryContext(ctx, `SELECT id, CASE WHEN command LIKE 'Binlog Dump%' THEN '`+aMariaDBReplica+`' ELSE '' END, CASE command WHEN 'Sleep' THEN time ELSE 0 END
		FROM information_schema.processlist WHERE user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AND id <> CONNECTION_ID()`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []peerConnection
	for rows.Next() {
		var o peerConnection
		if err := rows.Scan(&o.process, &o.name, &o.unused); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

// idle is from how many seconds without use on a connection counts as idle.
const idle = 1

// lookAtOthers remembers which connections made with a credential are idle before its revoke, through
// the connections that the harness itself has with it.
func (s *System) lookAtOthers(ctx context.Context, credential string) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	for name := range s.attach.Present {
		s.mu.Lock()
		l, ok := s.sessions[session{name, credential}].(lister)
		s.mu.Unlock()
		if !ok {
			continue
		}
		done := s.shows(name, credential) // a pooler may log in for the question
		found, _ := l.others(ctx)         // who may not see them sees none
		done()
		s.seen.mu.Lock()
		for _, o := range found {
			if l := s.seen.sessions[name+" "+o.process]; l != nil && l.presenter == "" {
				l.idle = o.unused >= idle
			}
		}
		s.seen.mu.Unlock()
	}
}

// Meet records the connections made with the credential in use before logs were followed: a pool may
// serve on them through the whole rotation, and no log line tells of them.
func (s *System) Meet(ctx context.Context) {
	for _, name := range slices.Sorted(maps.Keys(s.attach.Present)) {
		p := s.attach.Present[name]
		if p.DSN == "" || s.attach.Decisions[name].Format == "" {
			continue
		}
		value, err := s.learn(ctx, s.first)
		if err != nil {
			continue // the first probe says so
		}
		done := s.shows(name, s.first)
		conn, _, err := s.logIn(ctx, name, s.first, value)
		done()
		if err != nil || conn == nil {
			continue
		}
		if l, ok := conn.(lister); ok {
			asking, cancel := context.WithTimeout(ctx, loginTimeout)
			found, _ := l.others(asking) // who may not see them sees none
			cancel()
			s.theirs(name, value, found)
		}
		conn.end(ctx)
	}
}

// theirs records the connections of others at a server.
func (s *System) theirs(service, value string, found []peerConnection) {
	at, d, dsn := s.databaseOf(service), s.seen, s.attach.Present[service].DSN
	user, err := at.user(s.dsn(dsn, s.first, value))
	if err != nil {
		return
	}
	for _, o := range found {
		l := login{service: service, role: user, presenter: o.name, status: at.taken(), process: o.process, session: sessionAt(dsn, o.process), at: time.Now()}
		key := service + " " + o.process
		d.mu.Lock()
		told := d.sessions[key] != nil || d.own[l.session]
		if !told {
			d.sessions[key] = &l
		}
		d.mu.Unlock()
		if told {
			continue
		}
		// It need not have given this name at login: a pooler takes the name of its present client.
		if s.known(o.name) == s.known("") {
			l.presenter = ""
		}
		d.decided(service, service, l.presenter, s.Identifier(s.first), l.status, true, l.at)
	}
}
