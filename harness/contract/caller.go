package contract

import "strings"

// callerPrefix is what no IP address begins with.
const callerPrefix = "@"

// Caller is the origin of a call that is known to be a process of a service of the run, in the log of a
// stand-in; of others it is an IP address.
func Caller(service string) string { return callerPrefix + service }

// CallerIn is the service in such an origin; "" and false where it is an address.
func CallerIn(origin string) (service string, ok bool) {
	if service, ok = strings.CutPrefix(origin, callerPrefix); !ok {
		return "", false
	}
	return service, true
}
