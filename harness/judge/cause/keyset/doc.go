// Package keyset has the detectors that look at what a validator is given: a set without the credential,
// with two keys under one name, without an algorithm or with a key that it cannot read; and at a validator
// that keeps one key, one type or one signature of what it is given.
package keyset
