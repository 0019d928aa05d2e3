package http

import (
	"crypto/sha256"
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
)

const maxConsole = 150 << 10 // bytes of all that a browser loads, before it is packed; licences are beside that

// Who serves what others wrote must be able to say that it is that.
func TestConsole_HasWhatOthersWroteUnchangedAndWithItsLicence(t *testing.T) {
	sums, err := consoleFiles.ReadFile("console/vendor/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	summed := map[string]bool{"SHA256SUMS": true}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content, err := consoleFiles.ReadFile("console/vendor/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != sum {
			t.Errorf("%s: the sum is %s, SHA256SUMS says %s", name, got, sum)
		}
		summed[name] = true
	}
	entries, err := consoleFiles.ReadDir("console/vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !summed[entry.Name()] {
			t.Errorf("%s has no sum", entry.Name())
		}
	}
	for _, licence := range []string{"LICENSE-htm.txt", "LICENSE-preact.txt", "LICENSE-uPlot.txt"} {
		if !summed[licence] {
			t.Errorf("%s is missing", licence)
		}
	}
}

func TestConsole_IsSmall(t *testing.T) {
	files, err := consoleByName()
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for name, file := range files {
		if !strings.HasPrefix(path.Base(name), "LICENSE") {
			size += len(file.plain)
		}
	}
	if size > maxConsole {
		t.Errorf("the console has %d bytes, %d are allowed", size, maxConsole)
	}
}

// namedFiles finds the files that a file of the console loads: "./name", "../folder/name" or
// "/console/name".
var namedFiles = regexp.MustCompile(`(?:from '|href="|src="|url\()((?:\.\.?/|/console/)[^'")]+)`)

func TestConsole_ServesEveryFileThatAFileNames(t *testing.T) {
	g := start(t, func(o *Options) { o.Key = "secret" })
	a := g.ask("GET", "/console", "")
	g.want(a, 200, `src="/console/console.js"`)
	files, err := consoleByName()
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for name, file := range files {
		if strings.HasPrefix(name, "vendor/") {
			continue
		}
		for _, match := range namedFiles.FindAllStringSubmatch(string(file.plain), -1) {
			address := match[1]
			if !path.IsAbs(address) {
				address = path.Join("/console", path.Dir(name), address)
			}
			named++
			got := g.ask("GET", address, "")
			g.want(got, 200)
			kind := map[string]string{".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[path.Ext(address)]
			if kind == "" || !strings.HasPrefix(got.header.Get("Content-Type"), kind) {
				t.Errorf("%s is served as %s, want %s", address, got.header.Get("Content-Type"), kind)
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d names of files were found", named)
	}
	for _, none := range []string{"/console/none.js", "/console/parts/none.js", "/console/vendor/SHA256SUMS", "/console/..%2fserver.go", "/console/%2e%2e/server.go", "/console/pages/..%2fconsole.js"} {
		g.want(g.ask("GET", none, ""), 404)
	}
}

func TestConsole_LoadsNothingFromElsewhere(t *testing.T) {
	g := start(t)
	a := g.ask("GET", "/console", "")
	policy := a.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("Content-Security-Policy = %q, without %s", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") {
		t.Errorf("Content-Security-Policy = %q lets more in than the server's own files", policy)
	}
	files, err := consoleByName()
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range files {
		text := strings.ReplaceAll(string(file.plain), `"http://www.w3.org/2000/svg"`, "")
		if !strings.HasPrefix(name, "vendor/") && (strings.Contains(text, "http:") || strings.Contains(text, "https:") || strings.Contains(text, `"//`)) {
			t.Errorf("%s names another host", name)
		}
	}
}

func TestConsole_IsSentAgainOnlyWhenItHasChanged(t *testing.T) {
	g := start(t)
	for _, path := range []string{"/console", "/console/console.js", "/console/vendor/uplot.js"} {
		a := g.ask("GET", path, "", "Accept-Encoding", "identity")
		tag := a.header.Get("ETag")
		if tag == "" || a.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: ETag %q, Cache-Control %q", path, tag, a.header.Get("Cache-Control"))
		}
		if again := g.ask("GET", path, "", "If-None-Match", tag); again.status != 304 || again.body != "" {
			t.Errorf("%s with its tag is answered %d with %d bytes", path, again.status, len(again.body))
		}
		if other := g.ask("GET", path, "", "If-None-Match", `W/"other"`); other.status != 200 {
			t.Errorf("%s with another tag is answered %d", path, other.status)
		}
		packed := g.ask("GET", path, "", "Accept-Encoding", "gzip")
		if packed.header.Get("Content-Encoding") != "gzip" || len(packed.body) >= len(a.body) {
			t.Errorf("%s has %d bytes, packed %d", path, len(a.body), len(packed.body))
		}
	}
}

func TestConsole_IsLeftOutWithTheDocs(t *testing.T) {
	g := start(t, func(o *Options) { o.HideDocs = true })
	for _, path := range []string{"/console", "/console/console.js", "/console/parts/api.js"} {
		g.want(g.ask("GET", path, ""), 404, "there is no such route")
	}
}
