package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tipoff"
)

// load is the companies' side: workers that post users, events and coupons through
// the gateways, and write down what they were told. Each user and event belongs to
// one worker, who posts the next version only after an answer to the last one.
type load struct {
	h      *harness
	round  int
	ledger *ledger
	client *http.Client

	mu     sync.Mutex
	events []string          // of this round, posted or soon to be
	bets   map[string]int    // legs posted of each user of this round
	sure   map[string]bool   // users all of whose coupons were accepted at once
	chosen map[string]events // by user
	moved  map[string]string // events changed in this round: the tag of the newest version
	vague  map[string]bool   // events some change of which was not answered
}

type events map[string]bool

const (
	workers       = 4
	pause         = 20 * time.Millisecond // of a worker between two posts
	legsPerBettor = 24                    // a bettor's state keeps the last 30: all of them
	company       = "default"
)

// The names are few, so that no list in a table overflows: then every value must
// be equal to the fold's.
var (
	countries = []string{"Italy", "Brazil", "Nigeria", "Japan"}
	leagues   = []struct{ sport, league string }{
		{"Soccer", "Serie A"}, {"Soccer", "Premier League"}, {"Basketball", "NBA"}, {"Tennis", "ATP"}, {"Ice Hockey", "NHL"},
	}
	markets  = []string{"", "1x2", "totals"}
	outcomes = []string{"1", "X", "2"}
)

func newLoad(h *harness, round int) *load {
	return &load{
		h: h, round: round, ledger: h.ledger,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * workers}},
		bets:   map[string]int{}, sure: map[string]bool{}, chosen: map[string]events{}, moved: map[string]string{}, vague: map[string]bool{},
	}
}

// run posts until ctx ends; what is under way then is brought to an end.
func (l *load) run(ctx context.Context) {
	defer l.client.CloseIdleConnections()
	var running sync.WaitGroup
	for number := range workers {
		w := &worker{load: l, number: number, random: newRandom(l.h.seed, uint64(l.round*workers+number)), doubtful: map[string]bool{}}
		running.Go(func() { w.run(ctx) })
	}
	running.Wait()
}

type worker struct {
	*load
	number   int
	random   *rand.Rand
	made     int // entities so far
	users    []string
	versions map[string]int
	own      []tipoff.Event
	sent     []tipoff.Coupon // accepted ones, to contradict
	doubtful map[string]bool // entities whose last version may still be under way
}

func (w *worker) run(ctx context.Context) {
	w.versions = map[string]int{}
	w.postUsers(ctx)
	w.postEvents(ctx)
	for ctx.Err() == nil {
		switch at := w.random.IntN(100); {
		case at < 12:
			w.postUsers(ctx)
		case at < 22:
			w.postEvents(ctx)
		case at < 32:
			w.patchEvent(ctx)
		case at < 36:
			w.postNonsense(ctx)
		case at < 39:
			w.contradict(ctx)
		default:
			w.postCoupons(ctx)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (w *worker) id(kind string) string {
	w.made++
	return fmt.Sprintf("%s-%d-%d-%d", kind, w.round, w.number, w.made)
}

func (w *worker) pick(from []string) string { return from[w.random.IntN(len(from))] }

// postUsers posts new users and newer versions of own ones.
func (w *worker) postUsers(ctx context.Context) {
	var items []any
	var entries []*entry
	for range 1 + w.random.IntN(6) {
		id := w.id("user")
		if len(w.users) > 0 && w.random.IntN(3) == 0 {
			if id = w.pick(w.users); w.doubtful[id] {
				continue
			}
		} else {
			w.users = append(w.users, id)
			w.mu.Lock()
			w.sure[id] = true
			w.mu.Unlock()
		}
		w.versions[id]++
		u := tipoff.User{
			ID: id, BirthYear: 1950 + w.random.IntN(50), Country: w.pick(countries), Currency: "EUR", Gender: "female",
			RegistrationDate: time.Date(2020, 1, 1+w.random.IntN(28), 0, 0, 0, 0, time.UTC), Name: fmt.Sprintf("v%d", w.versions[id]),
		}
		items = append(items, u)
		entries = append(entries, w.ledger.post(entry{topic: tipoff.TopicUsers, entity: id, tag: u.Name, content: canonical(u)}))
	}
	w.send(ctx, "/v1/users", items, entries)
}

// postEvents posts new events, some of which begin within seconds, and newer
// versions of own ones.
func (w *worker) postEvents(ctx context.Context) {
	var items []any
	var entries []*entry
	for range 1 + w.random.IntN(4) {
		again := len(w.own) > 0 && w.random.IntN(3) == 0
		var e tipoff.Event
		at := len(w.own)
		if again {
			at = w.random.IntN(len(w.own))
			if e = w.own[at]; w.doubtful[e.ID] {
				continue
			}
		} else {
			in := leagues[w.random.IntN(len(leagues))]
			e = tipoff.Event{
				ID: w.id("event"), Sport: in.sport, League: in.league, Country: w.pick(countries),
				Participants: []string{in.league + " " + strconv.Itoa(w.random.IntN(3)), in.league + " " + strconv.Itoa(3+w.random.IntN(3))},
			}
			if w.random.IntN(4) == 0 {
				w.offer(e.ID) // bets come before the event
			}
		}
		ahead := time.Duration(1+w.random.IntN(72*60)) * time.Minute
		if w.random.IntN(6) == 0 {
			ahead = time.Duration(1+w.random.IntN(20)) * time.Second
		}
		w.versions[e.ID]++
		e.Begin = time.Now().Add(ahead).UTC().Truncate(time.Second)
		e.End = e.Begin.Add(2 * time.Hour)
		e.Status = tipoff.StatusOpen
		e.Extra = []byte(fmt.Sprintf(`{"v":"v%d"}`, w.versions[e.ID]))
		if again {
			w.own[at] = e
			w.move(e.ID, "v"+strconv.Itoa(w.versions[e.ID]))
		} else {
			w.own = append(w.own, e)
		}
		items = append(items, e)
		entries = append(entries, w.ledger.post(entry{topic: tipoff.TopicEvents, entity: e.ID, tag: "v" + strconv.Itoa(w.versions[e.ID]), content: canonical(e)}))
		if !again {
			defer w.offer(e.ID)
		}
	}
	w.send(ctx, "/v1/events", items, entries)
}

func (w *worker) offer(event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.load.events = append(w.load.events, event)
}

// move notes that a newer version of an event is on its way.
func (w *worker) move(event, tag string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved[event] = tag
}

// patchEvent closes an own event, or opens it again.
func (w *worker) patchEvent(ctx context.Context) {
	if len(w.own) == 0 {
		return
	}
	e := w.own[w.random.IntN(len(w.own))]
	if w.doubtful[e.ID] {
		return
	}
	w.versions[e.ID]++
	status := w.pick([]string{tipoff.StatusOpen, tipoff.StatusSuspended, tipoff.StatusCancelled, tipoff.StatusFinished})
	patch := map[string]any{"status": status, "result": fmt.Sprintf("r%d", w.versions[e.ID])}
	w.move(e.ID, patch["result"].(string))
	content := map[string]any{"event_id": e.ID, "status": patch["status"], "result": patch["result"]}
	written := w.ledger.post(entry{topic: tipoff.TopicEvents, entity: e.ID, tag: patch["result"].(string), content: canonical(content)})
	w.sendBody(ctx, http.MethodPatch, "/v1/events/"+e.ID, patch, []*entry{written})
}

// postCoupons posts bets of own users: on events of anybody, posted or not.
func (w *worker) postCoupons(ctx context.Context) {
	var items []any
	var coupons []tipoff.Coupon
	var entries []*entry
	for range 1 + w.random.IntN(20) {
		c, ok := w.coupon()
		if !ok {
			break
		}
		items = append(items, c)
		coupons = append(coupons, c)
		entries = append(entries, w.ledger.post(w.couponEntry(c)))
	}
	if len(items) == 0 {
		w.postUsers(ctx)
		return
	}
	if len(items) == 1 && w.random.IntN(2) == 0 {
		w.sendBody(ctx, http.MethodPost, "/register_coupon", items[0], entries)
	} else {
		w.send(ctx, "/v1/coupons", items, entries)
	}
	for i, e := range entries {
		if e.verdict == accepted {
			w.sent = append(w.sent, coupons[i])
		}
		w.mu.Lock()
		if e.verdict != accepted || e.doubt {
			delete(w.sure, coupons[i].UserID)
		}
		if w.chosen[coupons[i].UserID] == nil {
			w.chosen[coupons[i].UserID] = events{}
		}
		for _, s := range coupons[i].Selections {
			w.chosen[coupons[i].UserID][s.EventID] = true
		}
		w.mu.Unlock()
	}
}

func (w *worker) couponEntry(c tipoff.Coupon) entry {
	content := canonical(c)
	return entry{topic: tipoff.TopicCoupons, entity: c.UserID + "/" + c.ID, tag: tagOf(content), content: content}
}

// coupon makes a bet; ok is false when no own user may bet any more.
func (w *worker) coupon() (c tipoff.Coupon, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var user string
	for range 10 {
		if user = w.pick(w.users); w.bets[user] < legsPerBettor {
			break
		}
	}
	if w.bets[user] >= legsPerBettor || len(w.load.events) == 0 {
		return c, false
	}
	at := time.Now().Add(-time.Duration(w.random.IntN(48*3600)) * time.Second)
	switch w.random.IntN(25) {
	case 0:
		at = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.random.IntN(1e6)) * time.Second)
	case 1:
		at = time.Now().Add(time.Duration(w.random.IntN(3600)) * time.Second)
	}
	c = tipoff.Coupon{ID: w.id("coupon"), UserID: user, Stake: float64(1+w.random.IntN(5000)) / 100, Timestamp: at.UTC().Truncate(time.Millisecond)}
	seen := events{}
	for range 1 + w.random.IntN(3) {
		event := w.pick(w.load.events)
		if w.random.IntN(60) == 0 {
			event = fmt.Sprintf("ghost-%d", w.random.IntN(5)) // never posted
		}
		if seen[event] {
			continue
		}
		seen[event] = true
		s := tipoff.Selection{EventID: event, Odds: float64(101+w.random.IntN(1200)) / 100, Market: w.pick(markets)}
		if s.Market != "" {
			s.Outcome = w.pick(outcomes)
		}
		c.Selections = append(c.Selections, s)
	}
	w.bets[user] += len(c.Selections)
	return c, true
}

// postNonsense posts what must be refused, beside one that must not.
func (w *worker) postNonsense(ctx context.Context) {
	good, ok := w.coupon()
	if !ok {
		return
	}
	bad := good
	bad.ID = w.id("bad")
	switch w.random.IntN(3) {
	case 0:
		bad.Stake = -1
	case 1:
		bad.Timestamp = time.Now().AddDate(1, 0, 0).UTC()
	case 2:
		bad.Selections = nil
	}
	entries := []*entry{w.ledger.post(w.couponEntry(good)), w.ledger.post(w.couponEntry(bad))}
	w.send(ctx, "/v1/coupons", []any{good, bad}, entries)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sure, good.UserID)
}

// contradict posts another content under the id of a coupon that stands.
func (w *worker) contradict(ctx context.Context) {
	if len(w.sent) == 0 {
		return
	}
	c := w.sent[w.random.IntN(len(w.sent))]
	c.Stake += 1
	w.send(ctx, "/v1/coupons", []any{c}, []*entry{w.ledger.post(w.couponEntry(c))})
}

func (w *worker) send(ctx context.Context, path string, items []any, entries []*entry) {
	if len(items) > 0 {
		w.sendBody(ctx, http.MethodPost, path, items, entries)
	}
}

// sendBody posts to one of the gateways until there is an answer, mostly: some
// clients give up, and some are impatient and send the same again after an answer.
func (w *worker) sendBody(ctx context.Context, method, path string, body any, entries []*entry) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	api := w.random.IntN(2)
	for attempt := 0; ; attempt++ {
		patience := 6 * time.Second
		if w.random.IntN(8) == 0 {
			patience = 300 * time.Millisecond
		}
		verdicts, known := w.ask(method, w.h.clientURL(w.h.apis()[api])+path, raw, len(entries), patience)
		w.ledger.answer(entries, verdicts)
		again := w.random.IntN(12) == 0
		if !known {
			api = 1 - api
			again = attempt < 20 && w.random.IntN(8) != 0
			select {
			case <-time.After(time.Duration(20+w.random.IntN(200)) * time.Millisecond):
			case <-ctx.Done():
				again = again && attempt < 2
			}
		}
		if !again {
			break
		}
		for _, e := range entries {
			w.ledger.post(*e)
		}
	}
	for _, e := range entries {
		if e.doubt || e.verdict == unknown {
			w.doubtful[e.entity] = true
			w.mu.Lock()
			w.vague[e.entity] = true
			w.mu.Unlock()
		}
	}
}

// ask sends one request and says what became of each item; known is false when
// nobody can tell.
func (w *worker) ask(method, url string, body []byte, items int, patience time.Duration) (verdicts []verdict, known bool) {
	verdicts = make([]verdict, items)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	q.Header.Set("Content-Type", "application/json")
	answer, err := w.client.Do(q)
	if err != nil {
		return verdicts, false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return verdicts, false
	}
	var said struct {
		Rejected []struct{ Index int }
	}
	all := func(v verdict) {
		for i := range verdicts {
			verdicts[i] = v
		}
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusMultiStatus:
		all(accepted)
		if answer.StatusCode == http.StatusMultiStatus {
			if err := json.Unmarshal(text, &said); err != nil {
				w.h.wrong("an answer that cannot be read: %s", text)
			}
		}
		for _, r := range said.Rejected {
			verdicts[r.Index] = refused
		}
	case http.StatusBadRequest:
		all(refused)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return verdicts, false
	default:
		w.h.wrong("%s %s answered %d: %.200s", method, url, answer.StatusCode, text)
	}
	return verdicts, true
}

// canonical is the content of a fact as JSON with sorted names and plain times, so
// that what was posted can be held against what stands on a topic.
func canonical(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		panic(err)
	}
	delete(fields, "patch")
	for name, value := range fields {
		text, isText := value.(string)
		if list, isList := value.([]any); value == nil || isText && text == "" || isList && len(list) == 0 {
			delete(fields, name)
			continue
		}
		if at, err := time.Parse(time.RFC3339, text); isText && err == nil {
			fields[name] = at.UnixMicro()
		}
	}
	if legs, ok := fields["selections"].([]any); ok {
		for _, leg := range legs {
			for name, value := range leg.(map[string]any) {
				if value == "" {
					delete(leg.(map[string]any), name)
				}
			}
		}
	}
	out, _ := json.Marshal(fields)
	return string(out)
}

func tagOf(content string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(content))
	return strconv.FormatUint(h.Sum64(), 36)
}
