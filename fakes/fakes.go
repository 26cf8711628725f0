// Package fakes names the small real network services that stand in for a
// team's own. Each family's are in a folder of their own, and what all of them
// share is in standin:
//
//	standin ◄── jwt       issuer, verifier, cache, keys
//	        ◄── apikey    provider, charger
//	        ◄── webhook   sender, receiver
//	        ◄── database  mariadb, postgres, redis, pgbouncer, querier
//	            store     the secrets store that all of them read
//
// A new stand-in is a function of type standin.Service, and a line here.
package fakes

import (
	"github.com/rehearse-dev/rehearse/fakes/apikey"
	"github.com/rehearse-dev/rehearse/fakes/database"
	"github.com/rehearse-dev/rehearse/fakes/jwt"
	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/fakes/webhook"
)

// Services are the stand-ins of this package by the name under which they are
// served.
var Services = map[string]standin.Service{
	"issuer":    jwt.ServeIssuer,
	"verifier":  jwt.ServeVerifier,
	"cache":     jwt.ServeCache,
	"relay":     jwt.ServeCache,
	"provider":  apikey.ServeProvider,
	"charger":   apikey.ServeCharger,
	"sender":    webhook.ServeSender,
	"receiver":  webhook.ServeReceiver,
	"checker":   jwt.ServeChecker,
	"keys":      jwt.ServeKeys,
	"proxy":     standin.ServeProxy,
	"balancer":  standin.ServeBalancer,
	"mariadb":   database.ServeMariaDB,
	"pgbouncer": database.ServePgBouncer,
	"postgres":  database.ServePostgres,
	"querier":   database.ServeQuerier,
	"redis":     database.ServeRedis,
}
