package fields

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxID is the most characters that a public id may have.
const MaxID = 50

// CheckID compares a public id with its bounds; the error says which one it breaks.
func CheckID(id string) error {
	switch n := utf8.RuneCountInString(id); {
	case n < 1 || n > MaxID:
		return fmt.Errorf("must have 1 to %d characters, has %d", MaxID, n)
	case !utf8.ValidString(id):
		return errors.New("must be text in UTF-8")
	case strings.ContainsFunc(id, unicode.IsControl):
		return errors.New("must not contain control characters")
	case id != strings.TrimSpace(id):
		return errors.New("must not begin or end with white space")
	}
	return nil
}

// CheckVisible refuses an id that nobody could see, as one of U+200B alone. What came in
// before that was asked for is on the topics, so only clients' requests are compared.
func CheckVisible(id string) error {
	if !strings.ContainsFunc(id, unicode.IsGraphic) {
		return errors.New("must have a character that can be seen")
	}
	return nil
}
