package fault

// newline spoils a secret in the way that is hardest to see.
var newline = spoils("newline", "newline",
	"appends a newline to every new secret on its way to one consumer, as an editor or echo does")
