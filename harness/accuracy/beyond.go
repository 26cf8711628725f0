package accuracy

// What is not as the page says, and what an operator and a service do besides.

// livesBeyond has a client whose tokens live for much longer than the page says,
// so that most of its sessions hold one of the old key when that is revoked.
func livesBeyond(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.gates = one(d, letGo...)
	d.load(r, 20, 30, 20, 60)
	r.clients = append(r.clients, client{
		name: "device", to: r.validators[0].name, from: "auth", rate: d.number(20, 40), sessions: d.number(20, 30), life: 3 * (r.window + r.refresh + r.life),
	})
	return r, Truth{Verdict: Fail, Named: [][]string{{"device"}}}
}

// erring has a validator that answers everybody with status 500.
func erring(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.gates = one(d, letGo...)
	d.load(r, 5, 30, 20, 60)
	name := r.validators[d.random.IntN(len(r.validators))].name
	r.world.Erring = map[string]bool{name: true}
	return r, Truth{Verdict: Fail, Named: [][]string{{name}}}
}
