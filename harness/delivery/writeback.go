package delivery

import (
	"context"
	"fmt"
)

// WriteBack plays a controller that writes a service's files back to their first contents, now and
// after each change, before the service has seen that. With back false it stops, and the service is
// given what is published.
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
