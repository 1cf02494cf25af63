package mqtt

const (
	// maxAliases bounds the linear search for the least recently used alias.
	maxAliases = 32
	// aliasIdle is the number of successive messages without use of an alias after
	// which the alias may be assigned to another topic.
	aliasIdle = 64
)

// topicAliases assigns topic aliases to outgoing topics (section 3.3.2.3.4). When
// all aliases are assigned, it reassigns the least recently used one.
type topicAliases struct {
	byTopic  map[string]uint16
	entries  []aliasEntry // the index is the alias minus 1
	max      int          // the largest alias; 0: none
	messages uint64       // counts calls of assign
}

type aliasEntry struct {
	topic   string
	lastUse uint64 // the value of topicAliases.messages at the last use
}

// reset removes all aliases. serverMax is the server's Topic Alias Maximum.
func (a *topicAliases) reset(serverMax uint16) {
	clear(a.byTopic)
	a.entries = a.entries[:0]
	a.max = min(int(serverMax), maxAliases)
}

// assign returns the alias of topic, or 0 if the topic gets no alias. known is false
// when the alias is new: the PUBLISH must then contain the topic, too.
func (a *topicAliases) assign(topic []byte) (alias uint16, known bool) {
	if a.max == 0 || len(topic) <= 3 { // the property Topic Alias takes three bytes
		return 0, false
	}
	a.messages++
	if alias, ok := a.byTopic[string(topic)]; ok {
		a.entries[alias-1].lastUse = a.messages
		return alias, true
	}
	if a.byTopic == nil {
		a.byTopic = make(map[string]uint16)
	}
	i := len(a.entries)
	if i < a.max {
		a.entries = append(a.entries, aliasEntry{})
	} else {
		i = 0
		for j := range a.entries {
			if a.entries[j].lastUse < a.entries[i].lastUse {
				i = j
			}
		}
		if a.messages-a.entries[i].lastUse < aliasIdle {
			return 0, false // to reassign an alias that is in use would save no bytes
		}
		delete(a.byTopic, a.entries[i].topic)
	}
	a.entries[i] = aliasEntry{string(topic), a.messages}
	a.byTopic[a.entries[i].topic] = uint16(i + 1)
	return uint16(i + 1), false
}

// appendWithAlias encodes a PUBLISH. It uses a topic alias if assign returns one.
func (e *Engine) appendWithAlias(b, topic, props, payload []byte, qos byte, retain, dup bool, id uint16) []byte {
	alias, known := e.outboundAliases.assign(topic)
	if known {
		topic = nil
	}
	return appendPublish(b, topic, props, payload, qos, retain, dup, id, alias)
}
