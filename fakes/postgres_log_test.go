package fakes

import (
	"encoding/binary"
	"testing"
)

func TestParsePostgresLine(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       postgresLine
		ok         bool
		refuses    bool
	}{
		{
			"a wrong password", `28P01|127.0.0.1(52920)|FATAL:  password authentication failed for user "a"`,
			postgresLine{"28P01", "52920", "FATAL", `password authentication failed for user "a"`}, true, true,
		},
		{
			"a role without LOGIN", `28000|127.0.0.1(52970)|FATAL:  role "x" is not permitted to log in`,
			postgresLine{"28000", "52970", "FATAL", `role "x" is not permitted to log in`}, true, true,
		},
		{
			"an end by the administration", `57P01|127.0.0.1(1)|FATAL:  terminating connection due to administrator command`,
			postgresLine{"57P01", "1", "FATAL", "terminating connection due to administrator command"}, true, false,
		},
		{"no client", `00000||LOG:  database system is ready`, postgresLine{"00000", "", "LOG", "database system is ready"}, true, false},
		{"a line that goes on", "\tConnection matched pg_hba.conf line 87", postgresLine{}, false, false},
		{"another program's", "initdb: error", postgresLine{}, false, false},
		{"empty", "", postgresLine{}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parsePostgresLine(tt.line)
			if got != tt.want || ok != tt.ok || got.refuses() != tt.refuses {
				t.Errorf("got %+v, %t, refuses %t, want %+v, %t, %t", got, ok, got.refuses(), tt.want, tt.ok, tt.refuses)
			}
		})
	}
}

func TestStartup(t *testing.T) {
	text := "user\x00orders_k1\x00application_name\x00orders/k1\x00\x00"
	packet := binary.BigEndian.AppendUint32(nil, uint32(8+len(text)))
	packet = append(binary.BigEndian.AppendUint32(packet, 196608), text...)
	settings := startup(packet)
	login := newLogin(settings["user"], settings["application_name"])
	if login.presenter != "orders" || login.identifier != "k1" || login.own {
		t.Errorf("got %+v of %v, want presenter orders with k1", login, settings)
	}
	if l := newLogin("orders_k1", "psql"); l.presenter != "psql" || l.identifier != "orders_k1" {
		t.Errorf("without a tag: got %+v, want the user for one", l)
	}
	if !newLogin("", DatabaseAdmin+"/k1").own {
		t.Error("the administration: got one that counts, want the harness's own")
	}
}
