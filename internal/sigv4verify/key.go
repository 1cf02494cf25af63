package sigv4verify

import (
	"fmt"
	"io"
	"time"
)

// Key is the secret part of an access key. It prints as [redacted].
type Key struct {
	Secret       string    `json:"-"`
	SessionToken string    `json:"-"` // empty for long-term keys
	Expires      time.Time `json:"-"` // zero for keys that do not expire
}

// Format implements fmt.Formatter. It prints [redacted] for every verb, to keep secrets out of logs and
// error texts.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, "[redacted]") }
