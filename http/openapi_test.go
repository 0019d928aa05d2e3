package http

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/prometheus/client_golang/prometheus"
)

var openapi = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background())
})

var described3 = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// Bodies that are no JSON are described as text.
func init() {
	text := func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		b, err := io.ReadAll(body)
		return string(b), err
	}
	for _, kind := range []string{"text/html", "text/css", "text/javascript", "text/plain", "image/svg+xml", "application/yaml"} {
		openapi3filter.RegisterBodyDecoder(kind, text)
	}
}

// described compares a response with the description: its status, its type and its
// body must stand there. Routes that do not exist answer outside of it.
func described(t *testing.T, q *http.Request, a *http.Response, body []byte) {
	t.Helper()
	router, err := described3()
	if err != nil {
		t.Fatal(err)
	}
	if q.Method == http.MethodHead || q.Method == http.MethodOptions {
		return // as the description says of all routes in its first words
	}
	plain := q.Clone(q.Context())
	plain.URL.Host, plain.URL.Scheme, plain.Host = "", "", ""
	route, values, err := router.FindRoute(plain)
	if err != nil {
		if !slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusForbidden}, a.StatusCode) {
			t.Errorf("%s %s: %v, but the answer is %d", q.Method, q.URL, err, a.StatusCode)
		}
		return
	}
	if a.StatusCode == http.StatusNotFound && strings.Contains(string(body), "no such route") {
		return // a role without the API
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: plain, PathParams: values, Route: route},
		Status:                 a.StatusCode,
		Header:                 a.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		t.Errorf("%s %s answered %d, not as described: %v", q.Method, q.URL.Path, a.StatusCode, err)
	}
}

func TestOpenAPI_DescribesEveryRouteAndNoOther(t *testing.T) {
	doc, err := openapi()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("openapi = %s", doc.OpenAPI)
	}
	s := &Server{Options: Options{API: func() *API { return nil }, Registry: prometheus.NewRegistry()}}
	var served, inDescription []string
	for _, r := range s.routes() {
		served = append(served, r.method+" "+r.path)
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			inDescription = append(inDescription, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(inDescription)
	if !slices.Equal(served, inDescription) {
		t.Errorf("served:    %v\ndescribed: %v", served, inDescription)
	}
	for _, r := range s.routes() {
		op := doc.Paths.Find(r.path).Operations()[r.method]
		open := op.Security != nil && len(*op.Security) == 1 && len((*op.Security)[0]) == 0
		if open != r.open {
			t.Errorf("%s %s: asks for no key: %v, the description says %v", r.method, r.path, r.open, open)
		}
	}
}

func TestDocs_LoadNothingFromElsewhere(t *testing.T) {
	g := start(t)
	a := g.ask("GET", "/docs", "")
	g.want(a, 200, "/docs/swagger-ui-bundle.js", "/docs/page.js")
	g.want(g.ask("GET", "/docs/page.js", ""), 200, "/openapi.yaml")
	if strings.Contains(a.body, "http:") || strings.Contains(a.body, "https:") || strings.Contains(a.body, `"//`) {
		t.Errorf("the page names another host:\n%s", a.body)
	}
	if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") {
		t.Errorf("Content-Security-Policy = %q", policy)
	}
	for _, asset := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "page.js"} {
		plain := g.ask("GET", "/docs/"+asset, "", "Accept-Encoding", "identity")
		packed := g.ask("GET", "/docs/"+asset, "", "Accept-Encoding", "gzip")
		if asset == "page.js" {
			g.want(plain, 200)
			continue
		}
		if plain.status != 200 || packed.header.Get("Content-Encoding") != "gzip" || len(plain.body) <= len(packed.body) {
			t.Errorf("%s: %d bytes plain, %d packed", asset, len(plain.body), len(packed.body))
		}
	}
	if policy := a.header.Get("Content-Security-Policy"); strings.Contains(policy, "script-src") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy = %q: scripts in the page, or frames of others around it, would be let in", policy)
	}
	for _, asset := range []string{"none.js", "..%2fserver.go", "%2e%2e%2f%2e%2e"} {
		g.want(g.ask("GET", "/docs/"+asset, ""), 404)
	}
	g.want(g.ask("GET", "/openapi.yaml", ""), 200, "openapi: 3.1.0")
}

// A browser has no key to send before the page is there to enter it.
func TestDocs_AreReadWithoutAKey(t *testing.T) {
	g := start(t, func(o *Options) { o.Key = "secret" })
	for _, path := range []string{"/docs", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/page.js", "/openapi.yaml"} {
		g.want(g.ask("GET", path, ""), 200)
	}
	doc, err := openapi()
	if err != nil {
		t.Fatal(err)
	}
	schemes := doc.Components.SecuritySchemes
	if len(doc.Security) == 0 || schemes["bearer"] == nil || schemes["header"] == nil { // the page asks for these
		t.Errorf("keys are described as %v, %v", doc.Security, schemes)
	}
	hidden := start(t, func(o *Options) { o.Key, o.HideDocs = "secret", true })
	for _, path := range []string{"/docs", "/docs/swagger-ui.css", "/openapi.yaml"} {
		hidden.want(hidden.ask("GET", path, "", "X-API-Key", "secret"), 404, "there is no such route")
	}
	if a := hidden.ask("GET", "/v1/nothing", ""); strings.Contains(a.body, "/docs") {
		t.Errorf("names a page that is hidden: %s", a.body)
	}
	g.want(g.ask("GET", "/v1/nothing", ""), 404, "/docs lists them")
}
