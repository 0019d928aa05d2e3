package node

import (
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// Health asks the node at url whether it is ready, and returns what it says of its
// parts, more of them with the key; the error says that it is not.
func Health(url, key string) (said string, err error) {
	q, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(q)
	defer fasthttp.ReleaseResponse(a)
	q.SetRequestURI(url + "/readyz")
	if key != "" {
		q.Header.Set("X-API-Key", key)
	}
	switch err := fasthttp.DoTimeout(q, a, 5*time.Second); {
	case err != nil:
		return "", fmt.Errorf("%s does not answer: %w", url, err)
	case a.StatusCode() != fasthttp.StatusOK:
		return string(a.Body()), fmt.Errorf("%s is not ready", url)
	}
	return string(a.Body()), nil
}
