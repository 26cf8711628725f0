package runbook

// redis has a list of passwords for each user (Redis 7, ACL).
var redis = Database{Type: "redis", SeveralPasswords: true}
