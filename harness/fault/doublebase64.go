package fault

// doubleBase64 gives a consumer the whole secret in a form that it does not expect.
var doubleBase64 = spoils("double-base64", "base64",
	"encodes every new secret once more in base64 on its way to one consumer, as whoever puts one into the data of a Kubernetes Secret that takes it for plain text does")
