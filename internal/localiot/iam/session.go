package iam

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	// maxDecisions is the maximum number of topics for which a Session caches the result of Receive.
	maxDecisions = 1000

	// maxCachedTopic is the largest topic that a Session caches, in bytes. It is the quota of AWS IoT for a
	// topic, with the largest reserved prefix.
	maxCachedTopic = 512
)

// Connection contains the facts about a connection that policies can use.
type Connection struct {
	Address string // the IP address of the client, aws:SourceIp
	Domain  string // the host name of the endpoint, iot:DomainName
}

// A ThingLookup returns the attributes of a thing, and reports whether a thing has the name.
type ThingLookup func(name string) (attributes map[string]string, ok bool)

// A Session decides what the client of one connection may do. It is safe for concurrent use.
type Session struct {
	region        string
	unrestricted  bool        // everything is allowed; there are no documents
	administrator bool        // the documents apply to the data plane only
	thing         ThingLookup // may be nil

	fixed    atomic.Pointer[[][]*Document] // the result of layers, unless attached is set
	replaced atomic.Uint64                 // the number of calls of SetDocuments
	// attached returns the result of layers. Its result changes only if that of version changes.
	attached func() [][]*Document
	version  func() uint64

	mu        sync.RWMutex
	context   map[string]string // of the requests; Connect replaces it
	refusal   string
	decisions map[string]bool // the results of Receive
	decided   uint64          // the version of decisions
}

// NewSession returns a Session to which documents apply as one policy. If thing is nil, there are no
// things.
func NewSession(region string, documents []*Document, c Connection, thing ThingLookup) *Session {
	s := newSession(region, c, thing)
	s.SetDocuments(documents)
	return s
}

// SetDocuments replaces the documents of a Session of NewSession. It must not be called for others.
func (s *Session) SetDocuments(documents []*Document) {
	s.fixed.Store(&[][]*Document{documents})
	s.replaced.Add(1)
}

// newSession returns a Session without documents.
func newSession(region string, c Connection, thing ThingLookup) *Session {
	s := &Session{region: region, thing: thing, context: make(map[string]string)}
	if c.Address != "" {
		s.context[keySourceIP] = c.Address
	}
	if c.Domain != "" {
		s.context[keyDomainName] = c.Domain
	}
	return s
}

// layers returns the documents that apply. Each layer must allow a request, and none may deny it.
func (s *Session) layers() [][]*Document {
	if s.attached != nil {
		return s.attached()
	}
	return *s.fixed.Load()
}

// MayConnect reports whether a statement allows iot:Connect for any client id. The server refuses the
// handshake of a principal for which this is not so.
func (s *Session) MayConnect() bool {
	if s.unrestricted {
		return true
	}
	for _, documents := range s.layers() {
		if !mayConnect(documents) {
			return false
		}
	}
	return true
}

// Connect reports whether the client may connect with a client id. persistent states whether the client
// uses a persistent session, and will whether its CONNECT has a will. The broker calls Connect before the
// other methods.
//
// The client id is the name of the client's thing. AttachThingPrincipal does not exist here: a thing is
// attached to every principal.
func (s *Session) Connect(clientID string, persistent, will bool) bool {
	s.mu.Lock()
	context := make(map[string]string, len(s.context)+3)
	for k, v := range s.context {
		context[k] = v
	}
	context[keyClientID] = clientID
	context[keyIsAttached] = "false"
	delete(context, keyThingName)
	if s.thing != nil {
		if attributes, ok := s.thing(clientID); ok {
			context[keyIsAttached] = "true"
			context[keyThingName] = clientID
			for name, value := range attributes {
				context[keyThingAttribute+strings.ToLower(name)+"]"] = value
			}
		}
	}
	s.context = context
	s.decisions = nil
	s.mu.Unlock()
	var attributes []string
	if persistent {
		attributes = append(attributes, "PersistentConnect")
	}
	if will {
		attributes = append(attributes, "LastWill")
	}
	return s.check(actionConnect, "client/"+clientID, attributes)
}

// Publish reports whether the client may publish to a topic. A retained message also requires
// iot:RetainPublish.
func (s *Session) Publish(topic string, retain bool) bool {
	return s.check(actionPublish, "topic/"+topic, nil) && (!retain || s.check(actionRetainPublish, "topic/"+topic, nil))
}

// Subscribe reports whether the client may subscribe to a topic filter. The wildcards + and # of MQTT are
// ordinary characters here.
func (s *Session) Subscribe(filter string) bool {
	return s.check(actionSubscribe, "topicfilter/"+filter, nil)
}

// Receive reports whether the client may receive a message with a topic. The Session caches the result.
func (s *Session) Receive(topic string) bool {
	if s.unrestricted {
		return true
	}
	version := s.replaced.Load()
	if s.version != nil {
		version = s.version()
	}
	s.mu.RLock()
	allowed, ok := s.decisions[topic]
	ok = ok && s.decided == version
	s.mu.RUnlock()
	if ok {
		return allowed
	}
	allowed = s.decide(actionReceive, "topic/"+topic, nil) == ""
	if len(topic) > maxCachedTopic {
		return allowed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.decisions == nil || s.decided != version || len(s.decisions) >= maxDecisions {
		s.decisions, s.decided = make(map[string]bool), version
	}
	s.decisions[topic] = allowed
	return allowed
}

// Allows reports whether the client may perform an action of the HTTP APIs, such as iot:GetThingShadow,
// on a resource, such as thing/lamp. If the action has no resource, resource is "*".
func (s *Session) Allows(action, resource string) bool {
	return s.administrator && !slices.Contains(dataPlane, action) || s.check(action, resource, nil)
}

// Refusal describes the last request that a method other than Receive refused: the action, the resource and
// the reason. It is "" if there is none. The text is for a log.
func (s *Session) Refusal() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.refusal
}

// check decides a request, and stores the refusal.
func (s *Session) check(action, resource string, attributes []string) bool {
	refusal := s.decide(action, resource, attributes)
	if refusal == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = refusal
	return false
}

// decide returns "" if the documents allow a request, and otherwise a text that describes the refusal.
func (s *Session) decide(action, resource string, attributes []string) string {
	if s.unrestricted {
		return ""
	}
	s.mu.RLock()
	context := s.context
	s.mu.RUnlock()
	if resource != "*" {
		resource = "arn:aws:iot:" + s.region + ":" + Account + ":" + resource
	}
	r := &request{action: strings.ToLower(action), resource: resource, context: context, attributes: attributes}
	for _, documents := range s.layers() {
		switch effect, statement := evaluate(documents, r); effect {
		case explicitDeny:
			return fmt.Sprintf("%s on %s: statement %s denies it", action, resource, statement)
		case implicitDeny:
			return fmt.Sprintf("%s on %s: no statement allows it", action, resource)
		}
	}
	return ""
}
