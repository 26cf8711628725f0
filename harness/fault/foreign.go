package fault

// foreignSecret gives a consumer a secret that is right, and of somewhere else.
var foreignSecret = spoils("foreign-secret", "foreign",
	"gives one consumer the secret of another environment in place of every new one")
