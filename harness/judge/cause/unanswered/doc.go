// Package unanswered has the detectors for callers that got no good answer: the service was stopped, cut off
// or out of connections, lacks a right, or answers the new credential otherwise than by a refusal.
package unanswered
