package mqtt

// aliases stands short numbers for topics that are published to often (section
// 3.3.2.3.4). At the server's bound the topic that was used longest ago gives
// its number up.
type aliases struct {
	byTopic map[string]uint16
	used    []aliasUse // by alias - 1
	max     int
	clock   uint64
}

type aliasUse struct {
	topic string
	at    uint64
}

// maxAliases bounds the search for the one used longest ago.
const maxAliases = 32

// idle is how many messages a topic must have gone without before its number is
// given to another.
const idle = 64

func (a *aliases) reset(serverMax uint16) {
	clear(a.byTopic)
	a.used = a.used[:0]
	a.max = min(int(serverMax), maxAliases)
}

// get returns the alias for topic, 0 for none, and whether the server knows it.
func (a *aliases) get(topic []byte) (alias uint16, known bool) {
	if a.max == 0 || len(topic) <= 3 { // the property itself takes three bytes
		return 0, false
	}
	a.clock++
	if alias, ok := a.byTopic[string(topic)]; ok {
		a.used[alias-1].at = a.clock
		return alias, true
	}
	if a.byTopic == nil {
		a.byTopic = make(map[string]uint16)
	}
	i := len(a.used)
	if i < a.max {
		a.used = append(a.used, aliasUse{})
	} else {
		i = 0
		for j := range a.used {
			if a.used[j].at < a.used[i].at {
				i = j
			}
		}
		if a.clock-a.used[i].at < idle {
			return 0, false // they are all in use: to take turns would only cost
		}
		delete(a.byTopic, a.used[i].topic)
	}
	a.used[i] = aliasUse{string(topic), a.clock}
	a.byTopic[a.used[i].topic] = uint16(i + 1)
	return uint16(i + 1), false
}

func (e *Engine) appendAliased(b, topic, props, payload []byte, qos byte, retain, dup bool, id uint16) []byte {
	alias, known := e.aliasOut.get(topic)
	if known {
		topic = nil
	}
	return appendPublish(b, topic, props, payload, qos, retain, dup, id, alias)
}
