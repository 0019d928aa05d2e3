package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

func (w *worker) send(ctx context.Context, path string, items []any, entries []*entry) {
	if len(items) > 0 {
		w.sendBody(ctx, http.MethodPost, path, items, entries)
	}
}

// sendBody posts to one of the gateways until there is a response, mostly: some
// clients give up, and some are impatient and send the same again after a response.
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
		w.ledger.note(entries, verdicts)
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

// ask sends one request and returns what became of each item; known is false when
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
	response, err := w.client.Do(q)
	if err != nil {
		return verdicts, false
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return verdicts, false
	}
	var result struct {
		Rejected []struct{ Index int }
	}
	all := func(v verdict) {
		for i := range verdicts {
			verdicts[i] = v
		}
	}
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusMultiStatus:
		all(accepted)
		if response.StatusCode == http.StatusMultiStatus {
			if err := json.Unmarshal(text, &result); err != nil {
				w.h.wrong("a response that cannot be read: %s", text)
			}
		}
		for _, r := range result.Rejected {
			verdicts[r.Index] = refused
		}
	case http.StatusBadRequest:
		all(refused)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return verdicts, false
	default:
		w.h.wrong("%s %s returned %d: %.200s", method, url, response.StatusCode, text)
	}
	return verdicts, true
}
