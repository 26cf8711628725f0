// Package cause finds out why a party suffered. The list in detectors.go has every detector, for each
// symptom the most specific first; the first that matches tells the mechanism, the party to look at, and
// the cure in figures. The detectors lie in rooms by what they explain:
//
//	cell        what is to be explained, and what all detectors ask about it
//	switching   emitters that used a credential too early, too late, or after its revoke
//	authority   what decides: databases and providers that refuse what a step was to make them take
//	keyset      what a set has, and what a validator can do with it
//	learning    validators that learned the new credential late, or never
//	unanswered  callers that got no good answer
//	watch       what shows after the revoke: an old credential that is taken, a new one that is not
//
// Here are those that lean on the finding about another cell, and what is said where no detector matches.
package cause
