package fault

// foreignSecret gives a consumer a valid secret of another environment.
var foreignSecret = spoils("foreign-secret", "foreign",
	"gives one consumer the secret of another environment in place of every new one")
