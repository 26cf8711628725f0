package attached

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// rabbitMQServer is RabbitMQ by AMQP 0-9-1; a status is a reply code, 403 of a login that is refused.
type rabbitMQServer struct {
	list func(ctx context.Context, user string) ([]peerConnection, error) // nil: no management API is named
}

// rabbitMQNoRoom is the status of one that has no room for another connection. It shares its code (530,
// NOT_ALLOWED) with a user who may not have the virtual host.
const rabbitMQNoRoom = "530 connection limit"

func (rabbitMQServer) user(dsn string) (string, error) {
	at, err := amqp.ParseURI(dsn)
	if err != nil {
		return "", errDSN
	}
	return at.Username, nil
}

// plainLogin is a login by name and password that has the server say that it refuses it: of a client that
// does not announce authentication_failure_close it only ends the connection, after a second or more, which
// a server that goes down does too. The library announces what it can itself, just before it asks for the response.
type plainLogin struct {
	amqp.PlainAuth
	properties amqp.Table
}

func (l *plainLogin) Response() string {
	if can, ok := l.properties["capabilities"].(amqp.Table); ok {
		can["authentication_failure_close"] = true
	}
	return l.PlainAuth.Response()
}

func (s rabbitMQServer) open(ctx context.Context, dsn string) (connection, string, error) {
	at, err := amqp.ParseURI(dsn)
	if err != nil {
		return nil, "", errDSN
	}
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(family.ProbeAgent)
	in := rabbitMQConnection{user: at.Username, list: s.list}
	within := func() bool { return true }
	in.conn, err = amqp.DialConfig(dsn, amqp.Config{
		SASL:       []amqp.Authentication{&plainLogin{amqp.PlainAuth{Username: at.Username, Password: at.Password}, properties}},
		Properties: properties, Vhost: at.Vhost,
		Dial: func(network, address string) (net.Conn, error) {
			raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err == nil {
				in.raw, within = raw, cutWith(ctx, raw)
			}
			return raw, err
		},
	})
	answered, refused := errors.AsType[*amqp.Error](err)
	switch {
	case within() && err == nil:
		return in, "", nil
	case refused && answered.Server && rabbitMQFull.MatchString(answered.Reason):
		return nil, rabbitMQNoRoom, nil
	case refused && answered.Server: // any other is the library's guess
		return nil, strconv.Itoa(answered.Code), nil
	case err == nil:
		in.end(ctx)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, "", ctx.Err()
	}
	return nil, noAnswer, nil
}

// cutWith ends a connection with a context, which the library waits for nowhere; what it
// returns reports whether it has not yet, and leaves the connection alone from then on.
func cutWith(ctx context.Context, raw net.Conn) (within func() bool) {
	return context.AfterFunc(ctx, func() { _ = raw.Close() })
}

func (rabbitMQServer) refuses(status string) bool { return status == "403" }
func (rabbitMQServer) taken() string              { return "OK" }

type rabbitMQConnection struct {
	conn *amqp.Connection
	raw  net.Conn
	user string
	list func(ctx context.Context, user string) ([]peerConnection, error) // nil: nobody says
}

// served opens a channel, which whoever is still logged in may.
func (c rabbitMQConnection) served(ctx context.Context) error {
	defer cutWith(ctx, c.raw)()
	channel, err := c.conn.Channel()
	if err != nil {
		return err
	}
	return channel.Close()
}

func (c rabbitMQConnection) end(context.Context) {
	_ = c.conn.CloseDeadline(time.Now().Add(loginTimeout))
}

// others are those of the same user that the management API knows, which hears of a new one
// within five seconds (collect_statistics_interval). For how long one was not used it does not say.
func (c rabbitMQConnection) others(ctx context.Context) ([]peerConnection, error) {
	if c.list == nil {
		return nil, nil
	}
	return c.list(ctx, c.user)
}

// listsOf is how the connections at a broker are listed; nil where its management API is not named.
func (s *System) listsOf(service string) func(ctx context.Context, user string) ([]peerConnection, error) {
	told := s.attach.Decisions[service]
	if told.Format != scenario.RabbitMQDecisions || told.Server == "" {
		return nil
	}
	server := s.fillURL(told.Server)
	return func(ctx context.Context, user string) ([]peerConnection, error) {
		return listRabbitMQ(ctx, server, user)
	}
}

// listRabbitMQ asks the management API at an address, which has who asks before its host, for the connections of a user.
func listRabbitMQ(ctx context.Context, server, user string) ([]peerConnection, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(server, "/")+"/api/connections", nil)
	if err != nil {
		return nil, errors.New("its address cannot be read when it is filled in") // err may quote it
	}
	answer, err := caller.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s does not answer", request.URL.Host)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s to GET /api/connections: who asks needs the tag monitoring", request.URL.Host, answer.Status)
	}
	var all []struct {
		Name  string `json:"name"`
		User  string `json:"user"`
		Given string `json:"user_provided_name"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, mostAnswered)).Decode(&all); err != nil {
		return nil, fmt.Errorf("read the connections of %s: %w", request.URL.Host, err)
	}
	var of []peerConnection
	for _, c := range all {
		if c.User == user {
			of = append(of, peerConnection{process: c.Name, name: c.Given})
		}
	}
	return of, nil
}

// mostAnswered bounds what is read of an answer.
const mostAnswered = 64 << 20
