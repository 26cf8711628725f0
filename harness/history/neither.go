package history

import (
	"fmt"
	"strings"
)

// Neither says of an answer to a credential that neither took nor refused it, by its status: one of
// HTTP or of a database, or why there was none ("timeout", "no answer").
func Neither(credential, status string) string {
	if strings.ContainsAny(status, "0123456789") || status != "" && status == strings.ToUpper(status) {
		return fmt.Sprintf("answered %s to %s", status, credential)
	}
	return fmt.Sprintf("gave no answer about %s (%s)", credential, status)
}
