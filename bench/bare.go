package bench

import (
	"net"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"
)

// What single requests are measured against: the same library and router as the
// gateway's, and a handler that does nothing.

// bare answers every request to a path with the same bytes. close ends it.
func bare(method, path string, status int, body []byte) (url string, closeIt func(), err error) {
	return serveBare(method, path, func(ctx *fasthttp.RequestCtx) {
		ctx.SetStatusCode(status)
		ctx.SetContentType("application/json")
		ctx.SetBody(body)
	})
}

// echo answers every post to a path with what was posted.
func echo(path string) (url string, closeIt func(), err error) {
	return serveBare(fasthttp.MethodPost, path, func(ctx *fasthttp.RequestCtx) {
		ctx.SetStatusCode(fasthttp.StatusAccepted)
		ctx.SetContentType("application/json")
		ctx.SetBody(ctx.PostBody())
	})
}

func serveBare(method, path string, handler fasthttp.RequestHandler) (url string, closeIt func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	r := router.New()
	r.Handle(method, path, handler)
	server := &fasthttp.Server{Handler: r.Handler}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	return "http://" + l.Addr().String(), func() {
		_ = server.Shutdown()
		<-ended
	}, nil
}
