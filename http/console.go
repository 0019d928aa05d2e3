package http

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fasthttp"

	"tipoff"
)

// consoleFiles are the console as it is served, but for the lines of our scripts that are
// comments: no build makes them. console/vendor has what others wrote, with its licences
// and sums.
//
//go:embed console
var consoleFiles embed.FS

// consolePolicy lets the page load and ask nothing but this server, run no script that
// is not one of its files, and be shown in nobody's frame.
const consolePolicy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

// consoleTypes are the kinds of file that the console has.
var consoleTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// consoleFile is a file of the console in the forms in which it leaves.
type consoleFile struct {
	kind, tag     string // the Content-Type and the ETag
	plain, packed []byte // packed with gzip
}

// commentLines are those of a script that hold nothing else.
var commentLines = regexp.MustCompile(`(?m)^\t*//.*\n`)

// consoleByName has the console's files by their path under console/.
var consoleByName = sync.OnceValues(func() (map[string]consoleFile, error) {
	files := map[string]consoleFile{}
	err := fs.WalkDir(consoleFiles, "console", func(name string, entry fs.DirEntry, err error) error {
		kind, known := consoleTypes[path.Ext(name)]
		if err != nil || entry.IsDir() || !known {
			return err
		}
		file := consoleFile{kind: kind}
		if file.plain, err = consoleFiles.ReadFile(name); err != nil {
			return err
		}
		if path.Ext(name) == ".js" && path.Dir(name) != "console/vendor" {
			file.plain = commentLines.ReplaceAll(file.plain, nil)
		}
		// Weak: the same of the plain form and the packed one.
		file.tag = fmt.Sprintf(`W/"%x"`, sha256.Sum256(file.plain))[:20] + `"`
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err = w.Write(file.plain); err == nil {
			err = w.Close()
		}
		file.packed = packed.Bytes()
		files[name[len("console/"):]] = file
		return err
	})
	return files, err
})

// consolePage is the page that shows what goes on, to see and to try.
func consolePage(q *request) error { return q.consoleFile("index.html") }

// consoleAsset is a file of that page.
func consoleAsset(q *request) error {
	folder, _ := q.UserValue("folder").(string)
	file, _ := q.UserValue("file").(string)
	return q.consoleFile(path.Join(folder, file))
}

// consoleFile writes a file of the console, unless the browser has it as it is now.
func (q *request) consoleFile(name string) error {
	files, err := consoleByName()
	if err != nil {
		return fmt.Errorf("read the console's files: %w", err)
	}
	file, found := files[name]
	if !found {
		return tipoff.ErrNotFound
	}
	header := &q.Response.Header
	header.Set("Content-Security-Policy", consolePolicy)
	header.Set("Referrer-Policy", "no-referrer")
	// The browser asks each time, so that a page never has files of two versions.
	header.SetCanonical(headerCache, []byte("no-cache"))
	header.Set("Vary", "Accept-Encoding")
	header.Set("ETag", file.tag)
	if string(q.Request.Header.Peek("If-None-Match")) == file.tag {
		q.SetStatusCode(fasthttp.StatusNotModified)
		return nil
	}
	q.SetContentType(file.kind)
	if q.Request.Header.HasAcceptEncoding("gzip") {
		header.Set("Content-Encoding", "gzip")
		q.SetBody(file.packed)
		return nil
	}
	q.SetBody(file.plain)
	return nil
}
