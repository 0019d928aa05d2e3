package bench

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// load sends the request over and over for a while, from as many connections as
// there are cores and then some, and returns how many a second were answered.
func load(url string, prepare func(*fasthttp.Request)) (float64, error) {
	const lasts = 1500 * time.Millisecond
	var answered atomic.Int64
	var failed atomic.Pointer[error]
	client := &fasthttp.Client{MaxConnsPerHost: 1000}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	began := time.Now()
	for range 8 * runtime.NumCPU() {
		all.Go(func() {
			q, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(q)
			defer fasthttp.ReleaseResponse(a)
			for time.Since(began) < lasts {
				q.Reset()
				q.SetRequestURI(url)
				prepare(q)
				if err := client.Do(q, a); err != nil {
					failed.Store(&err)
					return
				}
				if a.StatusCode()/100 != 2 {
					err := fmt.Errorf("status %d: %.200s", a.StatusCode(), a.Body())
					failed.Store(&err)
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(answered.Load()) / time.Since(began).Seconds(), nil
}

// bare answers every request with the same bytes, and does nothing else.
func bare(status int, body []byte) (url string, closeIt func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetStatusCode(status)
		ctx.SetContentType("application/json")
		ctx.SetBody(body)
	}}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = server.Shutdown() }, nil
}
