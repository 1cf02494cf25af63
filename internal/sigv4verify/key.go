package sigv4verify

import (
	"fmt"
	"io"
	"time"
)

// Key is what a verifier knows about an access key id. It prints as [redacted].
type Key struct {
	Secret       string    `json:"-"`
	SessionToken string    `json:"-"` // empty for long-term keys
	Expires      time.Time `json:"-"` // zero for keys that do not expire
}

// Format implements fmt.Formatter for every verb, so that no log or error text shows a secret.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, "[redacted]") }
