//go:build !lean

package sigv4

import "time"

func sign(e Endpoint, c Credentials, now time.Time) (string, error) { return signAWS(e, c, now) }
