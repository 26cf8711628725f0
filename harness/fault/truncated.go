package fault

// truncated gives a consumer less than the whole secret.
var truncated = spoils("truncated", "truncated",
	"cuts the end off every new secret on its way to one consumer, as a field of a fixed width does")
