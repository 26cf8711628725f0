//go:build !race

package rules_test

// seeds is how many ages of caches, polls and sessions a rehearsal is run with.
const seeds = 20
