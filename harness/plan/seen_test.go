package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// seenLimits are a page at speed 60: a second is a minute. G1 and G3 of search are
// 6m30s, G2 is 15m30s.
func seenLimits() Limits {
	return Limits{
		Speed: 60, JudgedAt: history.FromLoad,
		Lead: 6*time.Minute + 30*time.Second, Propagation: 30 * time.Second, LongestLife: 15 * time.Minute,
		Window: 15*time.Minute + 30*time.Second, Watch: 6*time.Minute + 30*time.Second,
		Validators: []Validator{{Name: "search", OnPage: true, From: "auth", Learns: 5 * time.Minute, Forgets: 5 * time.Minute}},
		Emitters:   []Emitter{{Name: "auth", OnPage: true, Refresh: time.Minute}},
		Clients:    []Client{{Name: "web", To: "search", From: "auth", Rate: 10, Life: 15 * time.Minute}},
	}
}

// moment is one of the run, in seconds: at speed 60, minutes of the page.
func moment(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }

// sightOf is what a run saw in which search fetches at these moments and is asked
// all the time, for a second after the last of them.
func sightOf(fetches []float64, more ...history.Event) Sight {
	v := history.NewView()
	for _, e := range more {
		if e.Kind == history.KindFault || e.Kind == history.KindPlan {
			v.Apply(e)
		}
	}
	until := 400 // tenths of a second
	if len(fetches) > 0 {
		until = int(10 * (fetches[len(fetches)-1] + 1))
	}
	for i := range until {
		v.Apply(history.Event{At: moment(float64(i) / 10), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromLoad, Presenter: "web", Validator: "search", Credential: "k1", Width: moment(0.1), Attempts: 1, OK: 1,
		}})
	}
	for _, at := range fetches {
		v.Apply(history.Event{At: moment(at), Kind: history.KindFetched, Service: "search", Credentials: []string{"k1"}})
	}
	for _, e := range more {
		if e.Kind != history.KindFault {
			v.Apply(e)
		}
	}
	return Sight{View: v, Old: "k1", New: "k2"}
}

func TestBoundsSeen(t *testing.T) {
	step := func(at float64, step, credential string) history.Event {
		return history.Event{At: moment(at), Kind: history.KindStep, Step: step, Credential: credential}
	}
	read := func(at float64) history.Event {
		return history.Event{At: moment(at), Kind: history.KindRead, Service: "store", Reader: "auth", What: "secret/data/key"}
	}
	down := func(at float64, stage string) history.Event {
		return history.Event{At: moment(at), Kind: history.KindFault, Fault: &history.Fault{Kind: "partition", Target: "search", Stage: stage}}
	}
	life := func(wall time.Duration) history.Event {
		return history.Event{At: moment(40), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromLoad, Presenter: "web", Validator: "search", Credential: "k1", Width: moment(0.1), LongestLife: history.Offset(wall),
		}}
	}
	lived := func(party string, seconds float64) history.Event {
		return history.Event{At: moment(30), Began: moment(30 - seconds), Kind: history.KindLived, Service: "db", Reader: party, Credential: "k1"}
	}
	// Of the last connection that auth made with k1, and of when that was ended.
	madeAt := func(at float64) history.Event {
		return history.Event{At: moment(at), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromLoad, Presenter: "auth", Validator: "db", Credential: "k1", Width: moment(0.1), Attempts: 1, OK: 1,
		}}
	}
	ended := func(at float64) history.Event {
		return history.Event{At: moment(at), Kind: history.KindEnded, Service: "db", Reader: "auth", Credential: "k1"}
	}
	refusedAt := func(at float64) history.Event {
		return history.Event{At: moment(at), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromAuthority, Presenter: "auth", Validator: "db", Credential: "k1", Width: moment(0.1), Attempts: 1, AuthFailures: 1, FirstFailure: moment(at), LastFailure: moment(at),
		}}
	}
	learned := history.Event{At: moment(12), Kind: history.KindLearned, Service: "search", Credential: "k2"}
	canary := history.Event{At: moment(12.05), Kind: history.KindProbe, Service: "search", Credential: "k2", Probe: &history.Probe{
		Purpose: history.Canary, Outcome: history.OK, CausedFetch: true, Latency: moment(0.01),
	}}
	granule := unsure.Seconds()
	jitter := []float64{0, 3.2, 9.6, 14.1, 19.7, 23.6, 28.8} // five minutes ± 40 %
	attachedTo := func(l *Limits) { l.RuleSources = []RuleSource{{Rule: "availability", From: "the load"}} }
	for _, tt := range []struct {
		name    string
		limits  func(*Limits)
		sight   Sight
		broken  []string // rule, party, and the least figure
		telling string   // part of what the first says
	}{
		{"a page that holds by nothing, and nothing seen", nil, sightOf(nil), nil, ""},
		{"fetches just as often as the page says", nil, sightOf([]float64{0, 5, 10, 15}), nil, ""},
		{"one granule more than the page says", nil, sightOf([]float64{0, 5 + granule, 10 + 2*granule}), nil, ""},
		{"one second under by the page alone", func(l *Limits) { l.Lead -= time.Second; l.Watch -= time.Second; l.Window -= time.Second }, sightOf(nil),
			[]string{"G1 search 6m30s", "G2  15m30s", "G3 search 6m30s"}, "the lead is 6m29s and must be at least 6m30s for search (learns 5m + refresh of auth 1m + propagation 30s)"},
		{"fetches every ten minutes", nil, sightOf([]float64{0, 10, 20}),
			[]string{"G1 search 12m", "G3 search 12m"}, "search was seen to fetch every 10m, and the page says that it learns within 5m"},
		{"fetches for a key that it does not know, and by itself every ten minutes at the least", nil, func() Sight {
			s := sightOf([]float64{0, 10, 20})
			s.View.OnMiss["search"] = true
			return s
		}(), []string{"G3 search 12m"}, "search fetches for a key that it does not know, and had not fetched for 10m, and the page says that it forgets within 5m"},
		{"fetches every ten minutes, and the page leaves room for that", func(l *Limits) { l.Lead, l.Watch = 12*time.Minute, 12*time.Minute }, sightOf([]float64{0, 10, 20}), nil, ""},
		{"of many gaps one is long, as where a machine stood still", nil, sightOf([]float64{0, 5, 10, 18, 23, 28}), nil, ""},
		{"it fetches with jitter, and the longest pause that it may make did not come", func(l *Limits) { l.Lead, l.Watch = 7*time.Minute+30*time.Second, 7*time.Minute+30*time.Second }, sightOf(jitter),
			[]string{"G1 search 8m48s", "G3 search 8m48s"}, "the lead is 7m30s and must be at least 8m48s for search: search was seen to fetch every 6m24s, and the page says that it learns within 5m; its pauses vary by chance (6 were seen, the shortest of 3m12s): that is their mean, and one of 6m48s may come"},
		{"and the lead is too short for what came", nil, sightOf(jitter), []string{"G1 search 8m48s", "G3 search 8m48s"}, "search was seen to fetch every 6m24s"},
		{"and the page says the longest", func(l *Limits) {
			l.Validators[0].Learns, l.Validators[0].Forgets, l.Lead, l.Watch = 7*time.Minute, 7*time.Minute, 9*time.Minute, 9*time.Minute
		}, sightOf(jitter), nil, ""},
		{"it fetches every five minutes, once late, once early", func(l *Limits) { l.Lead, l.Watch = 8*time.Minute, 8*time.Minute }, sightOf([]float64{0, 5, 10, 13, 18.1, 23.1, 29.5}), nil, ""},
		{"it fetches every six minutes, once early", func(l *Limits) { l.Lead, l.Watch = 8*time.Minute, 8*time.Minute }, sightOf([]float64{0, 6, 12, 15, 21, 27}), nil, ""},
		{"an emitter that reads with jitter", func(l *Limits) {
			l.Lead, l.Watch, l.Window, l.Emitters[0].Refresh = 11*time.Minute+30*time.Second, 11*time.Minute+30*time.Second, 16*time.Minute+30*time.Second, 5*time.Minute
		},
			sightOf(nil, read(0), read(3.2), read(9.6), read(14.1), read(19.7), read(23.6), read(28.8)), []string{"G1 auth 12m48s", "G2 auth 17m48s", "G3 auth 12m48s"}, "auth was seen to read the store every 6m24s, and the page says 5m; its pauses vary by chance"},
		{"it has not fetched again", nil, func() Sight {
			s := sightOf([]float64{0, 5})
			for i := range 60 {
				s.View.Apply(history.Event{At: moment(6 + float64(i)/10), Kind: history.KindCounts, Counts: &history.Counts{
					Source: history.FromLoad, Presenter: "web", Validator: "search", Credential: "k1", Width: moment(0.1), Attempts: 1, OK: 1,
				}})
			}
			return s
		}(), []string{"G1 search 8m54s"}, "search had not fetched for 6m54s, and the page says that it learns within 5m"},
		{"a fault kept it from fetching", nil, sightOf([]float64{0, 10}, down(4, history.FaultInjected), down(6, history.FaultUndone)), nil, ""},
		{"it was away in between", nil, func() Sight {
			s := sightOf([]float64{0})
			s.View.Now = moment(4)
			s.View.Apply(history.Event{At: moment(9), Kind: history.KindExit, Service: "search"})
			s.View.Apply(history.Event{At: moment(10), Kind: history.KindFetched, Service: "search"})
			return s
		}(), nil, ""},
		{"nobody asked it", nil, func() Sight {
			v := history.NewView()
			for _, at := range []float64{0, 10} {
				v.Apply(history.Event{At: moment(at), Kind: history.KindFetched, Service: "search"})
			}
			return Sight{View: v, Old: "k1", New: "k2"}
		}(), nil, ""},
		{"it fetches what it does not know: only what it forgets is late", nil, sightOf([]float64{0, 12}, learned, canary),
			[]string{"G3 search 14m"}, "the page says that it forgets within 5m"},
		{"a library that fetches what it does not know", func(l *Limits) { l.Validators[0].OnMiss, l.Validators[0].Learns = true, 0 }, sightOf([]float64{0, 12}),
			[]string{"G3 search 14m"}, "forgets within"},
		{"it learned late, and fetched before it at nobody's sight", nil, sightOf(nil, step(1, "accept", "k2"), learned),
			[]string{"G1 search 11m30s"}, "search learned k2 only 11m after it was accepted"},
		{"it learned within the bound", nil, sightOf(nil, step(5.5, "accept", "k2"), learned), nil, ""},
		{"it is made to fetch what has changed, and does so seldom by itself", func(l *Limits) { l.Validators[0].Reloaded = true }, sightOf([]float64{0, 10, 20}), nil, ""},
		{"it is made to fetch what has changed, too late", func(l *Limits) { l.Validators[0].Reloaded = true }, sightOf(nil, step(1, "accept", "k2"), learned),
			[]string{"G1 search 11m30s"}, "search learned k2 only 11m after it was accepted"},
		{"a stand-in whose library learns later than the page says", func(l *Limits) { l.Validators[0].Rereads, l.Validators[0].Keeps = 15*time.Minute, time.Hour }, sightOf(nil),
			[]string{"G1 search 16m30s", "G3 search 1h1m30s"}, "search fetches every 15m, and the page says that it learns within 5m"},
		{"an emitter that reads every twelve minutes", nil, sightOf(nil, read(0), read(12), read(24)),
			[]string{"G1 auth 18m", "G2 auth 27m", "G3 auth 18m"}, "auth was seen to read the store every 12m, and the page says 1m"},
		{"an emitter that reads for each connection that it makes", nil, sightOf(nil, read(0), madeAt(0), read(12), madeAt(12), read(24), madeAt(24)), nil, ""},
		{"an emitter that reads for some of the connections that it makes", nil, sightOf(nil, read(0), madeAt(0), madeAt(6), read(12), madeAt(12)),
			[]string{"G1 auth 18m", "G2 auth 27m", "G3 auth 18m"}, "auth was seen to read the store every 12m"},
		{"an emitter that reads when it is refused", nil, sightOf(nil, read(0), read(12), refusedAt(11.9)), nil, ""},
		{"an emitter that reads, having been refused for long", nil, sightOf(nil, read(0), read(12), refusedAt(6)), []string{"G1 auth 18m", "G2 auth 27m", "G3 auth 18m"}, "auth was seen to read the store every 12m"},
		{"an emitter that switched late", nil, sightOf(nil, step(10, "emit", "k2"), history.Event{At: moment(14), Kind: history.KindEmitting, Service: "auth", Credential: "k2"}),
			[]string{"G1 auth 9m30s", "G2 auth 18m30s", "G3 auth 9m30s"}, "auth switched 4m after the emit, and the page says 1m"},
		{"an emitter that switched late, and had published in time", nil, sightOf(nil, step(3, "accept", "k2"), history.Event{At: moment(3.5), Kind: history.KindPublished, Service: "auth", Credentials: []string{"k1", "k2"}},
			step(10, "emit", "k2"), history.Event{At: moment(14), Kind: history.KindEmitting, Service: "auth", Credential: "k2"}),
			[]string{"G2 auth 18m30s"}, "auth switched 4m after the emit, and the page says 1m"},
		{"an emitter that switched when it was refused", nil, sightOf(nil, step(10, "emit", "k2"), refusedAt(13.9), history.Event{At: moment(14), Kind: history.KindEmitting, Service: "auth", Credential: "k2"}), nil, ""},
		{"a pool of a system that runs already, which made no connection before", attachedTo, sightOf(nil, madeAt(5), step(10, "emit", "k2"), madeAt(14), history.Event{At: moment(14), Kind: history.KindEmitting, Service: "auth", Credential: "k2"}), nil, ""},
		{"a pool of a system that runs already, which made one with the old one", attachedTo, sightOf(nil, madeAt(5), step(10, "emit", "k2"), madeAt(13.9), history.Event{At: moment(14), Kind: history.KindEmitting, Service: "auth", Credential: "k2"}),
			[]string{"G1 auth 9m30s", "G2 auth 18m30s", "G3 auth 9m30s"}, "auth switched 4m after the emit"},
		{"an emitter that switched just in time", nil, sightOf(nil, step(10, "emit", "k2"), history.Event{At: moment(11.5 + granule), Kind: history.KindEmitting, Service: "auth", Credential: "k2"}), nil, ""},
		{"tokens that are planned to live longer", func(l *Limits) { l.Clients[0].Life = 30 * time.Minute }, sightOf(nil),
			[]string{"G2 web 30m30s"}, "the window is 15m30s and must be at least 30m30s: web keeps its tokens for 30m, and the page says 15m"},
		{"tokens seen to live longer", nil, sightOf(nil, life(30*time.Second)), []string{"G2 auth 31m30s"}, "auth gives web tokens that are good for 30m, and the page says 15m"},
		{"connections of a team's own seen in use for longer", nil, sightOf(nil, lived("auth", 18)), []string{"G2 auth 19m30s"}, "auth keeps its connections for 18m, and the page says 15m"},
		{"connections in use for as long as the page has it", nil, sightOf(nil, lived("auth", 15.9)), nil, ""},
		{"connections that the revoke ended when they were older", nil, sightOf(nil, madeAt(2), step(22, "revoke", "k1"), ended(22)), []string{"G2 auth 20m54s"},
			"auth still had connections of k1 when the revoke ended them, 19m54s after the last that it made"},
		{"connections that the revoke ended when they were no older", nil, sightOf(nil, madeAt(2), madeAt(9), step(22, "revoke", "k1"), ended(22)), nil, ""},
		{"connections that ended before the revoke", nil, sightOf(nil, madeAt(2), step(25, "revoke", "k1"), ended(22)), nil, ""},
		{"an emitter that reads when it is cut off", nil, sightOf(nil, read(0), read(12), madeAt(11.9), step(11.95, "revoke", "k1"), ended(11.95)), nil, ""},
		{"an emitter that reads late, having been cut off and tried since", nil, sightOf(nil, read(0), read(12), step(6, "revoke", "k1"), ended(6), madeAt(8)),
			[]string{"G1 auth 18m", "G2 auth 27m", "G3 auth 18m"}, "auth was seen to read the store every 12m"},
		{"an emitter that switched when it was cut off", nil, sightOf(nil, step(10, "emit", "k2"), step(13.9, "revoke", "k1"), ended(13.9), history.Event{At: moment(14), Kind: history.KindEmitting, Service: "auth", Credential: "k2"}), nil, ""},
		{"connections of a stand-in, which says how long it keeps them", func(l *Limits) { l.Emitters[0].Life = 15 * time.Minute }, sightOf(nil, lived("auth", 18)), nil, ""},
		{"tokens whose expiry is rounded up", nil, sightOf(nil, life(16*time.Second)), nil, ""},
		{"an exception for which the window is long enough", func(l *Limits) {
			l.Clients[0].Life, l.Window, l.Exceptions = 30*time.Minute, 31*time.Minute, []Exception{{"web", 31 * time.Minute}}
		}, sightOf(nil), nil, ""},
		{"an exception for which the window does not wait", func(l *Limits) {
			l.Clients[0].Life, l.Exceptions = 30*time.Minute, []Exception{{"web", 31 * time.Minute}}
		}, sightOf(nil),
			[]string{"G2 web 31m"}, "the window is 15m30s and must be at least 31m (exception of web 31m)"},
		{"an exception that is too short", func(l *Limits) {
			l.Clients[0].Life, l.Window, l.Exceptions = 30*time.Minute, 25*time.Minute, []Exception{{"web", 25 * time.Minute}}
		}, sightOf(nil), []string{"G2 web 30m"}, "web keeps its tokens for 30m, and the page says 25m"},
		{"an exception of an older history, which does not say until when", func(l *Limits) { l.Clients[0].Life, l.Exceptions = 30*time.Minute, []Exception{{"web", 0}} }, sightOf(nil), nil, ""},
		{"a pool that keeps connections longer", func(l *Limits) { l.Emitters[0].Life = 20 * time.Minute }, sightOf(nil),
			[]string{"G2 auth 20m30s"}, "auth keeps its connections for 20m"},
		{"no time is enough", func(l *Limits) { l.Validators[0].Forgets = runbook.Forever }, sightOf(nil),
			[]string{"G3 search no bound"}, "the watch is 6m30s, and no time is enough for search"},
		{"one that is not on the page", func(l *Limits) { l.Validators[0].OnPage, l.Lead, l.Watch = false, 0, 0 }, sightOf(nil), nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := seenLimits()
			if tt.limits != nil {
				tt.limits(&l)
			}
			var broken []Bound
			for _, b := range l.BoundsSeen(tt.sight) {
				if !b.Held {
					broken = append(broken, b)
				}
			}
			var got []string
			for _, b := range Worst(broken) {
				got = append(got, b.Rule+" "+b.Party+" "+Text(b.Needed))
			}
			if strings.Join(got, ", ") != strings.Join(tt.broken, ", ") {
				t.Fatalf("broken: got %q, want %q", got, tt.broken)
			}
			if len(broken) > 0 && !strings.Contains(broken[0].Short(), tt.telling) {
				t.Errorf("says %q, want %q in it", broken[0].Short(), tt.telling)
			}
			// What it asks for is enough when it is written on the page and seen again.
			for _, b := range broken {
				if b.Needed == runbook.Forever {
					continue
				}
				switch b.Rule {
				case "G1":
					l.Lead = max(l.Lead, b.Needed)
				case "G2":
					l.Window = max(l.Window, b.Needed)
				case "G3":
					l.Watch = max(l.Watch, b.Needed)
				}
			}
			for _, b := range l.BoundsSeen(tt.sight) {
				if !b.Held && b.Needed != runbook.Forever {
					t.Errorf("with what was asked for: %s, want it to hold", b.Short())
				}
			}
		})
	}
}

// TestCopiesOfACache: what a cache before an issuer or a gateway says that it may serve is added to what the page has for
// it; whether a copy is ever that old nobody sees.
func TestCopiesOfACache(t *testing.T) {
	looked := func(service, status string, kept, onError float64) history.Event {
		return history.Event{At: moment(1), Kind: history.KindLooked, Service: service, Set: &history.KeySet{Status: status, Kept: moment(kept), OnError: moment(onError)}}
	}
	const five = 5 * time.Minute
	for _, tt := range []struct {
		name   string
		change func(*Limits)
		looks  []history.Event
		held   bool
		needed time.Duration
	}{
		{"none", nil, []history.Event{looked("auth", "200", 0, 0)}, true, 6*time.Minute + 30*time.Second},
		{"before the issuer", nil, []history.Event{looked("auth", "200", 5, 60)}, false, 11*time.Minute + 30*time.Second},
		{"and the issuer failed", nil, []history.Event{looked("auth", "503", 0, 0), looked("auth", "200", 5, 60)}, false, 71*time.Minute + 30*time.Second},
		{"and the page has room for it", func(l *Limits) { l.Lead += five }, []history.Event{looked("auth", "200", 5, 0)}, true, 11*time.Minute + 30*time.Second},
		{"before a gateway on the way", func(l *Limits) { l.Validators[0].Via = "edge" }, []history.Event{looked("edge", "200", 5, 0), looked("auth", "200", 60, 0)}, false, 11*time.Minute + 30*time.Second},
		{"before another", nil, []history.Event{looked("other", "200", 5, 0)}, true, 6*time.Minute + 30*time.Second},
		{"of the run's own", func(l *Limits) { l.Validators[0].Via, l.Caches = "edge", []Cache{{Name: "edge"}} }, []history.Event{looked("edge", "200", 5, 0)}, true, 6*time.Minute + 30*time.Second},
		{"that the page has", func(l *Limits) { l.Validators[0].Shared, l.Lead = five, l.Lead+five }, []history.Event{looked("auth", "200", 6, 0)}, true, 11*time.Minute + 30*time.Second},
		{"that the page has shorter", func(l *Limits) { l.Validators[0].Shared, l.Lead = five, l.Lead+five }, []history.Event{looked("auth", "200", 8, 0)}, false, 14*time.Minute + 30*time.Second},
	} {
		l := seenLimits()
		if tt.change != nil {
			tt.change(&l)
		}
		b := l.BoundsSeen(sightOf(nil, tt.looks...))[0]
		if b.Held != tt.held || b.Copies == tt.held || b.Maybe == tt.held || b.Chance || !b.Held && b.Needed != tt.needed || !b.Held && !strings.Contains(b.Untold(), "is answered for by a cache") {
			t.Errorf("%s: got %+v, want held %t, and %s of which it cannot be told", tt.name, b, tt.held, Text(tt.needed))
		}
		short := l
		if short.Lead = time.Minute; short.BoundsSeen(sightOf(nil, tt.looks...))[0].Maybe {
			t.Errorf("%s: with a lead that is too short without it: it cannot be told, want that it is", tt.name)
		}
	}
}

// TestByChance: a bound that holds only because the longest pause did not come is told as luck, not as broken; one that
// what came breaks is broken.
func TestByChance(t *testing.T) {
	for _, tt := range []struct {
		lead         time.Duration
		held, chance bool
	}{
		{7 * time.Minute, false, false},
		{7*time.Minute + 30*time.Second, false, true},
		{8 * time.Minute, true, false}, // within the precision of what was seen
	} {
		l := seenLimits()
		l.Lead = tt.lead
		if b := l.BoundsSeen(sightOf([]float64{0, 3.2, 9.6, 14.1, 19.7, 23.6, 28.8}))[0]; b.Held != tt.held || b.Chance != tt.chance || b.Maybe != tt.chance {
			t.Errorf("lead %s: got held %t, chance %t, maybe %t, want held %t, chance %t", tt.lead, b.Held, b.Chance, b.Maybe, tt.held, tt.chance)
		}
	}
}

// TestSeenUsing: a sender of which nothing says when it switched, and that went on to show the old
// credential, may have a worker that switched so late, or deliveries that had waited.
func TestSeenUsing(t *testing.T) {
	shows := func(from, to float64) (events []history.Event) {
		for at := from; at < to; at += 0.1 {
			events = append(events, history.Event{At: moment(at), Kind: history.KindCounts, Counts: &history.Counts{
				Source: history.FromAuthority, Presenter: "auth", Validator: "search", Credential: "k1", Width: moment(0.1), Attempts: 1, OK: 1,
			}})
		}
		return events
	}
	emitted := history.Event{At: moment(10), Kind: history.KindStep, Step: "emit", Credential: "k2"}
	revoked := history.Event{At: moment(26), Kind: history.KindStep, Step: "revoke", Credential: "k1"}
	switched := history.Event{At: moment(10.5), Kind: history.KindEmitting, Service: "auth", Credential: "k2"}
	for name, tt := range map[string]struct {
		family string
		limits func(*Limits)
		events []history.Event
		held   bool
		maybe  bool
		needed string
	}{
		"until its reads are over":       {"webhook-secret", nil, shows(8, 11.4), true, false, ""},
		"for six minutes more":           {"webhook-secret", nil, shows(8, 16), false, true, "20m36s"},
		"and the window is long enough":  {"webhook-secret", func(l *Limits) { l.Window = 21 * time.Minute }, shows(8, 16), true, true, ""},
		"and it says when it switched":   {"webhook-secret", nil, append(shows(8, 16), switched), true, false, ""},
		"and is shown with both":         {"webhook-secret", func(l *Limits) { l.Emitters[0].Several = true }, shows(8, 16), true, false, ""},
		"logins, which do not wait":      {"database-password", nil, shows(8, 16), false, false, "20m36s"},
		"up to the revoke, told by that": {"webhook-secret", nil, shows(8, 26), true, false, ""},
	} {
		l := seenLimits()
		if l.Family, l.JudgedAt = tt.family, history.FromAuthority; tt.limits != nil {
			tt.limits(&l)
		}
		for _, b := range l.BoundsSeen(sightOf(nil, append(tt.events, emitted, revoked)...)) {
			if b.Rule != "G2" {
				continue
			}
			if b.Held != tt.held || b.Maybe != tt.maybe || !b.Held && (b.Party != "auth" || Text(b.Needed) != tt.needed) {
				t.Errorf("%s: got %+v (%s), want held %t, maybe %t, of auth, %s", name, b, Text(b.Needed), tt.held, tt.maybe, tt.needed)
			}
		}
	}
}

// TestSeenOnce: a lateness that no rhythm of reads explains is the least that is known.
func TestSeenOnce(t *testing.T) {
	accept := history.Event{At: moment(20), Kind: history.KindStep, Step: "accept", Credential: "k2"}
	published := history.Event{At: moment(24), Kind: history.KindPublished, Service: "auth", Credentials: []string{"k1", "k2"}}
	read := func(at float64) history.Event {
		return history.Event{At: moment(at), Kind: history.KindRead, Service: "store", Reader: "auth", What: "secret/data/key"}
	}
	for name, tt := range map[string]struct {
		more []history.Event
		once bool
	}{
		"nobody sees it read":              {nil, true},
		"another of its replicas is quick": {[]history.Event{read(20), read(21), read(22), read(23), read(24)}, true},
		"it reads as seldom as that":       {[]history.Event{read(0), read(8), read(16), read(24)}, false},
	} {
		s := sightOf([]float64{0, 5, 10, 15, 20, 25}, append(tt.more, accept, published)...)
		for _, b := range seenLimits().BoundsSeen(s) {
			if b.Rule == "G1" && (b.Once != tt.once || b.Party != "auth" || b.Held) {
				t.Errorf("%s: got %+v, want one of auth that does not hold, seen once: %t", name, b, tt.once)
			}
		}
	}
}

// TestSeenThroughAGateway: who has its key set by a gateway is as late as that fetches, and
// the gateway is to be looked at.
func TestSeenThroughAGateway(t *testing.T) {
	l := seenLimits()
	l.Validators[0].Blind, l.Validators[0].Through = true, "gate"
	s := sightOf(nil)
	for _, at := range []float64{0, 10, 20, 30} {
		s.View.Apply(history.Event{At: moment(at), Kind: history.KindFetched, Service: "gate", Credentials: []string{"k1"}})
	}
	b := l.BoundsSeen(s)[0]
	if want := "gate was seen to fetch every 10m, and the page says that search learns within 5m"; b.Held || b.Party != "gate" || !strings.Contains(b.Short(), want) {
		t.Errorf("got %+v, want one of gate that does not hold: %q", b, want)
	}
}

// TestSwitchedWithTheRevoke: who switched only when the old credential was revoked would have
// been later without it, and the figure is less than what is needed.
func TestSwitchedWithTheRevoke(t *testing.T) {
	switched := func(revoked float64) Bound {
		s := sightOf(nil, history.Event{At: moment(10), Kind: history.KindStep, Step: "emit", Credential: "k2"},
			history.Event{At: moment(revoked), Kind: history.KindStep, Step: "revoke", Credential: "k1"},
			history.Event{At: moment(20), Kind: history.KindEmitting, Service: "auth", Credential: "k2"})
		for _, b := range seenLimits().BoundsSeen(s) {
			if b.Rule == "G2" {
				return b
			}
		}
		return Bound{}
	}
	if b := switched(19.5); b.Held || b.Enough() != "more than "+Text(b.Needed) || !strings.Contains(b.Short(), "and not before k1 was revoked") {
		t.Errorf("with the revoke: got %+v, want more than its figure", b)
	}
	if b := switched(30); b.Held || b.Enough() != "at least "+Text(b.Needed) {
		t.Errorf("before the revoke: got %+v, want at least its figure", b)
	}
}

// TestAskedByAFront: a validator that fetches seldom has had to where a service that stands
// before it was asked.
func TestAskedByAFront(t *testing.T) {
	for _, fronts := range [][]string{nil, {"gate"}} {
		l := seenLimits()
		l.Validators[0].Fronts = fronts
		s := sightOf([]float64{0, 9, 18})
		for key, buckets := range s.View.Cells {
			delete(s.View.Cells, key)
			key.Validator = "gate"
			s.View.Cells[key] = buckets
			break
		}
		for _, b := range l.BoundsSeen(s) {
			if b.Rule == "G3" && b.Held != (fronts == nil) {
				t.Errorf("before it %v: got %s, held %t", fronts, b, b.Held)
			}
		}
	}
}
