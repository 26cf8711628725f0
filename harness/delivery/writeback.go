package delivery

import (
	"context"
	"fmt"
)

// WriteBack has a controller write the files of a service back to what they were at its
// start, now and whenever something else is published, before its reader has seen that;
// or, with back false, no more, and the service is given what is published.
func (d *Delivery) WriteBack(ctx context.Context, service string, back bool) error {
	f := d.filesOf(service)
	if f == nil {
		return fmt.Errorf("write back the files of %s: it has none", service)
	}
	return d.inTurn(ctx, func(p published) error {
		f.back = back
		return d.send(p)
	})
}
