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

//go:embed docs.js
var docsScript []byte

func openAPI(q *request) error {
	q.SetContentType("application/yaml")
	q.SetBody(description)
	return nil
}

// docsPolicy lets nothing be loaded from elsewhere, no script but those of the page's
// own files run, and nobody show the page in a frame.
const docsPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsPage shows the description, and lets one enter a key and try the routes.
func docsPage(q *request) error {
	q.SetContentType("text/html; charset=utf-8")
	q.Response.Header.Set("Content-Security-Policy", docsPolicy)
	q.SetBody(docs)
	return nil
}

// docsScriptName is the name of the page's own script among its assets.
const docsScriptName = "page.js"

// docsAsset serves the page's script, or a file of Swagger UI, which is kept packed.
func docsAsset(q *request) error {
	name, _ := q.UserValue("asset").(string)
	if name == docsScriptName {
		q.SetContentType("text/javascript; charset=utf-8")
		q.SetBody(docsScript)
		return nil
	}
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
	q.Response.Header.SetCanonical(headerCache, []byte("max-age=86400"))
	q.Response.Header.Set("Vary", "Accept-Encoding")
	if q.Request.Header.HasAcceptEncoding("gzip") {
		q.Response.Header.Set("Content-Encoding", "gzip")
		q.SetBody(packed)
		return nil
	}
	_, err = fasthttp.WriteGunzip(q.Response.BodyWriter(), packed)
	return err
}
