package fault

// doubleBase64 is a secret that is whole, and not in the form in which its consumer wants it.
var doubleBase64 = spoils("double-base64", "base64",
	"encodes every new secret once more in base64 on its way to one consumer, as whoever puts one into the data of a Kubernetes Secret that takes it for plain text does")
