package webhook

import (
	"encoding/json"
	"fmt"
	"time"
)

// StripeVersion is the API version that events are written in: that of
// stripe-go v84.4.1, which refuses an event of another release train.
const StripeVersion = "2026-02-25.clover"

// The types of events. A probe asks for nothing to be done: a receiver that
// takes it for authentic has done all.
const (
	TypeEvent = "rehearsal.event"
	TypeProbe = "rehearsal.probe"
)

// Event is the body of a delivery, in the form that stripe-go wants to parse,
// which does no other library any harm. The payload is carried as text.
func Event(id, kind string, at time.Time, payload string) ([]byte, error) {
	body, err := json.Marshal(map[string]any{
		"id": id, "object": "event", "api_version": StripeVersion, "created": at.Unix(),
		"type": kind, "data": map[string]any{"object": map[string]any{"payload": payload}},
	})
	if err != nil {
		return nil, fmt.Errorf("make event %s: %w", id, err)
	}
	return body, nil
}
