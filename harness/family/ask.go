package family

import (
	"context"
	"io"
	"net/http"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Ask presents a credential by the headers of a request, as every probe does,
// and says what was decided. The error is the harness's own.
func Ask(ctx context.Context, method, url string, header http.Header, body io.Reader) (history.Probe, error) {
	return ask(ctx, method, url, header, body)
}
