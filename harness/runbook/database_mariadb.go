package runbook

// mariadb lets a user in by several methods, of which each can be a password
// (MariaDB 10.4, CREATE USER, IDENTIFIED VIA … OR …).
var mariadb = Database{Type: "mariadb", SeveralPasswords: true, TakesTurns: true, SwapsPool: true}
