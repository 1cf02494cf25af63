package mqtt

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

// Errors of ValidTopic and ValidFilter (section 4.7). In the texts, "it" is the topic
// or the filter.
var (
	errTopicEmpty    = errors.New("it is empty")
	errTopicTooLong  = errors.New("it is longer than 65,535 bytes")
	errTopicNUL      = errors.New("it contains the character U+0000")
	errTopicUTF8     = errors.New("it is not well-formed Unicode (a lone surrogate, or invalid UTF-8)")
	errTopicWildcard = errors.New("it contains a wildcard, + or #; only topic filters may")
	errFilterHash    = errors.New("# must be the last level of a topic filter, by itself")
	errFilterPlus    = errors.New("+ must be a whole level of a topic filter")
	errFilterShare   = errors.New("a shared subscription is $share/<name>/<filter>; the name is not empty and has no + or #")
)

// ValidTopic returns an error if topic is not a valid topic of a PUBLISH
// [MQTT-4.7.1-1] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3].
func ValidTopic(topic []byte) error {
	if _, simple := scanTopic(topic); simple && len(topic) <= maxFieldLen {
		return nil
	}
	if err := validName(topic); err != nil {
		return err
	}
	if bytes.IndexByte(topic, '+') >= 0 || bytes.IndexByte(topic, '#') >= 0 {
		return errTopicWildcard
	}
	return nil
}

// scanTopic returns a hash of topic, whose upper bits differ most. simple is true if topic is not empty and has only
// characters from '$' to 0x7f and no '+'. It is then valid, unless it is too long. This saves
// the other checks of ValidTopic for most topics.
func scanTopic(topic []byte) (hash uint32, simple bool) {
	n := len(topic)
	var h, special uint64
	if n < 8 {
		w := uint64('a') * ones
		for _, b := range topic {
			w = w<<8 | uint64(b)
		}
		h, special = w, specialBytes(w)
	} else {
		for i := 0; i < n-8; i += 8 {
			w := eightBytes(topic[i:])
			h = (h ^ w) * hashFactor
			special |= specialBytes(w)
		}
		w := eightBytes(topic[n-8:]) // may overlap the last word
		h ^= w
		special |= specialBytes(w)
	}
	h *= hashFactor
	return uint32(h >> 32), special == 0 && n > 0
}

const (
	ones       = 0x0101010101010101 // a 1 in each byte
	hashFactor = 0x9e3779b97f4a7c15 // distributes similar topics
)

// eightBytes returns the first eight bytes of b. The compiler makes one load of it.
func eightBytes(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// specialBytes returns 0 if all eight bytes of w are characters that scanTopic accepts.
func specialBytes(w uint64) uint64 {
	plus := w ^ '+'*ones
	return (w | (w-'$'*ones)&^w | (plus-ones)&^plus) & (0x80 * ones)
}

// validName checks the rules that topics and filters share.
func validName(name []byte) error {
	switch {
	case len(name) == 0:
		return errTopicEmpty
	case len(name) > maxFieldLen:
		return errTopicTooLong
	case bytes.IndexByte(name, 0) >= 0:
		return errTopicNUL
	case !utf8.Valid(name):
		return errTopicUTF8
	}
	return nil
}

// ValidFilter returns an error if filter is not a valid topic filter of a SUBSCRIBE
// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1] [MQTT-4.8.2-2].
func ValidFilter(filter string) error {
	if err := validName([]byte(filter)); err != nil {
		return err
	}
	if share, rest, ok := cutShare(filter); ok {
		if share == "" || rest == "" || strings.ContainsAny(share, "+#") {
			return errFilterShare
		}
		filter = rest
	}
	levels := strings.Split(filter, "/")
	for i, l := range levels {
		if strings.Contains(l, "#") && (l != "#" || i != len(levels)-1) {
			return errFilterHash
		}
		if strings.Contains(l, "+") && l != "+" {
			return errFilterPlus
		}
	}
	return nil
}

// cutShare splits $share/<name>/<filter> (section 4.8.2). For other filters, ok is
// false and rest is the filter.
func cutShare(filter string) (name, rest string, ok bool) {
	after, ok := strings.CutPrefix(filter, "$share/")
	if !ok {
		return "", filter, false
	}
	name, rest, _ = strings.Cut(after, "/")
	return name, rest, true
}

// Match reports whether a subscription to filter receives a message that is
// published to topic. Both must be valid. A filter that begins with a wildcard
// does not match a topic that begins with $ (section 4.7.2). To match one topic
// with many filters, use a [Router].
func Match(filter, topic string) bool {
	_, filter, _ = cutShare(filter)
	if strings.HasPrefix(topic, "$") && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	for {
		f, fRest, fMore := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, tRest, tMore := strings.Cut(topic, "/")
		switch {
		case f != "+" && f != t:
			return false
		case !fMore && !tMore:
			return true
		case !tMore:
			return fRest == "#" // "a/#" matches "a", too
		case !fMore:
			return false
		}
		filter, topic = fRest, tRest
	}
}
