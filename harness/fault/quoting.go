package fault

// quoting gives a consumer the whole secret in a form that it does not expect.
var quoting = spoils("quoting", "quoted",
	"puts every new secret between quotes on its way to one consumer, as a dotenv file does that is read without taking them away")
