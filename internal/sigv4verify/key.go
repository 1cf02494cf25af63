package sigv4verify

import (
	"fmt"
	"io"
	"time"
)

// Key is an access key without its access key id. Package fmt prints it as [redacted].
type Key struct {
	Secret       string    `json:"-"`
	SessionToken string    `json:"-"` // empty for long-term keys
	Expires      time.Time `json:"-"` // zero for keys that do not expire
}

// Format implements fmt.Formatter. It prints [redacted] for every verb, so that logs and error texts
// contain no secret.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, "[redacted]") }
