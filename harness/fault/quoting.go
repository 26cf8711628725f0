package fault

// quoting is a secret that is whole, and not in the form in which its consumer wants it.
var quoting = spoils("quoting", "quoted",
	"puts every new secret between quotes on its way to one consumer, as a dotenv file does that is read without taking them away")
