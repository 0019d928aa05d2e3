package fields

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// NotJSON is the message of a body that is not JSON, of which the decoder says err. It
// tells the place and quotes nothing of the body.
func NotJSON(err error) string {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "is not valid JSON: it ends too early"
	case errors.As(err, &syntax):
		return fmt.Sprintf("is not valid JSON: %s at byte %d", withoutQuote(syntax.Err.Error()), syntax.ByteOffset)
	}
	return "is not valid JSON"
}

// withoutQuote leaves out what an error of the decoder quotes first, which is what
// stands in the body; what it expects there may follow.
func withoutQuote(said string) string {
	at := strings.IndexAny(said, "'\"`")
	if at < 0 {
		return said
	}
	quoted, err := strconv.QuotedPrefix(said[at:])
	if err != nil {
		return strings.TrimRight(said[:at], " ")
	}
	return said[:at] + strings.TrimPrefix(said[at+len(quoted):], " ")
}
