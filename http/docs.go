package http

import (
	_ "embed"
	"io/fs"
	"path"

	"github.com/swaggest/swgui/v5/static"
	"github.com/valyala/fasthttp"

	"tipoff"
)

//go:embed openapi.yaml
var description []byte

//go:embed docs.html
var docs []byte

func openAPI(q *request) error {
	q.SetContentType("application/yaml")
	q.SetBody(description)
	return nil
}

// docsPage shows the description, with nothing loaded from elsewhere.
func docsPage(q *request) error {
	q.SetContentType("text/html; charset=utf-8")
	q.Response.Header.Set("Content-Security-Policy",
		"default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:")
	q.SetBody(docs)
	return nil
}

// docsAsset serves a file of Swagger UI, which is kept packed.
func docsAsset(q *request) error {
	name, _ := q.UserValue("asset").(string)
	packed, err := fs.ReadFile(static.FS, path.Base(name)+".gz")
	if err != nil {
		return tipoff.ErrNotFound
	}
	switch path.Ext(name) {
	case ".js":
		q.SetContentType("text/javascript; charset=utf-8")
	case ".css":
		q.SetContentType("text/css; charset=utf-8")
	}
	q.Response.Header.Set("Cache-Control", "max-age=86400")
	if q.Request.Header.HasAcceptEncoding("gzip") {
		q.Response.Header.Set("Content-Encoding", "gzip")
		q.SetBody(packed)
		return nil
	}
	_, err = fasthttp.WriteGunzip(q.Response.BodyWriter(), packed)
	return err
}
