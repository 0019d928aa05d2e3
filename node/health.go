package node

import (
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// Health asks the node at url whether it is ready, and returns what it says of its
// parts; the error says that it is not.
func Health(url string) (said string, err error) {
	status, body, err := fasthttp.GetTimeout(nil, url+"/readyz", 5*time.Second)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s does not answer: %w", url, err)
	case status != fasthttp.StatusOK:
		return string(body), fmt.Errorf("%s is not ready", url)
	}
	return string(body), nil
}
