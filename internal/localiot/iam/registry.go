package iam

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"iot.wasm/internal/localiot/store"
)

const (
	// maxPolicies and maxAttachments are the maximum numbers of policies and of attachments in a Registry.
	maxPolicies    = 10000
	maxAttachments = 100000

	// maxAttachedPolicies is AWS's quota of policies for a certificate or a Cognito identity ("AWS IoT Core
	// limits and quotas").
	maxAttachedPolicies = 10

	policyBucket     = "policies"
	attachmentBucket = "attachments"
)

// A Policy is a named policy. It has one version.
type Policy struct {
	Name     string
	ARN      string
	Version  string // "1"
	Created  time.Time
	Document *Document
}

// A storedPolicy is a policy in the store. The name is the key.
type storedPolicy struct {
	Created  time.Time
	Document string
}

// RegistryOptions configure a Registry. Region must be set.
type RegistryOptions struct {
	Region string

	// Policy applies to the long-term key and, as the policy of their role, to unauthenticated Cognito
	// identities. If it is nil, the key allows everything, and the identities have the policy Guest. The
	// key always allows the control plane, because it is the only key of an administrator.
	Policy *Document

	// AttachPolicy attaches a policy that allows everything to all authenticated Cognito identities.
	AttachPolicy bool

	// Thing finds the things. Nil means that there are no things.
	Thing ThingLookup

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Store keeps the policies and the attachments.
	Store *store.DB
}

// A Registry contains the named policies, and states to which targets they are attached. A target is the id
// of a Cognito identity, or the ARN of a certificate or of a thing group. It is safe for concurrent use.
type Registry struct {
	options    RegistryOptions
	guest      *Document
	everything *Document
	version    atomic.Uint64 // changes with the attachments

	mu          sync.RWMutex
	policies    map[string]Policy
	attachments map[string][]string // the names of policies by target, oldest first
	attached    int                 // the number of attachments
}

// NewRegistry returns a Registry with the policies in the store.
func NewRegistry(o RegistryOptions) (*Registry, error) {
	r := &Registry{
		options:     o,
		guest:       o.Policy,
		everything:  Everything(),
		policies:    make(map[string]Policy),
		attachments: make(map[string][]string),
	}
	if o.Now == nil {
		r.options.Now = time.Now
	}
	if r.guest == nil {
		r.guest = Guest(o.Region)
	}
	if err := o.Store.Load(policyBucket, func(name string, value []byte) error {
		var stored storedPolicy
		if err := json.Unmarshal(value, &stored); err != nil {
			return fmt.Errorf("the stored policy %s: %w", name, err)
		}
		d, err := Parse(stored.Document)
		if err != nil {
			return fmt.Errorf("the stored policy %s: %w", name, err)
		}
		r.policies[name] = r.newPolicy(name, stored.Created, d)
		return nil
	}); err != nil {
		return nil, err
	}
	err := o.Store.Load(attachmentBucket, func(target string, names []byte) error {
		var list []string
		if err := json.Unmarshal(names, &list); err != nil {
			return fmt.Errorf("the stored attachments of %s: %w", target, err)
		}
		r.attachments[target] = list
		r.attached += len(list)
		return nil
	})
	return r, err
}

func (r *Registry) newPolicy(name string, created time.Time, d *Document) Policy {
	arn := "arn:aws:iot:" + r.options.Region + ":" + Account + ":policy/" + name
	return Policy{Name: name, ARN: arn, Version: "1", Created: created, Document: d}
}

// GuestRole returns the policy of the role of unauthenticated Cognito identities.
func (r *Registry) GuestRole() *Document { return r.guest }

// Session returns the Session of a connection whose principal is owner.
func (r *Registry) Session(owner Owner, c Connection) *Session {
	s := newSession(r.options.Region, c, r.options.Thing)
	if owner.IdentityID != "" {
		s.context[keyCognitoSub] = owner.IdentityID
	}
	switch {
	case owner.Authenticated:
		role := []*Document{r.everything}
		s.attached = func() [][]*Document { return [][]*Document{role, r.documentsOf(owner.IdentityID)} }
		s.version = r.version.Load
	case owner.IdentityID != "":
		s.SetDocuments([]*Document{r.guest})
	case r.options.Policy != nil:
		s.SetDocuments([]*Document{r.options.Policy})
		s.administrator = true
	default:
		s.unrestricted = true
	}
	return s
}

// documentsOf returns the documents that are attached to a target.
func (r *Registry) documentsOf(target string) []*Document {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var list []*Document
	if r.options.AttachPolicy {
		list = append(list, r.everything)
	}
	for _, name := range r.attachments[target] {
		list = append(list, r.policies[name].Document)
	}
	return list
}

var (
	policyNamePattern = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`) // "AWS IoT Core API Reference", CreatePolicy
	targetPattern     = regexp.MustCompile(`^([\w-]+:[0-9a-f-]+|arn:aws[\w-]*:iot:[\w-]*:[0-9]{12}:(cert|thinggroup)/[\w:-]+|[0-9a-f]{64})$`)
)

// maxTarget is the largest target, in bytes.
const maxTarget = 512

func notFound(name string) *Error {
	return &Error{"ResourceNotFoundException", "The policy " + name + " was not found."}
}

func checkName(name string) error {
	if !policyNamePattern.MatchString(name) {
		return &Error{"InvalidRequestException", `The policy name must have 1 to 128 characters of [\w+=,.@-].`}
	}
	return nil
}

func checkTarget(target string) error {
	if len(target) > maxTarget || !targetPattern.MatchString(target) {
		return &Error{"InvalidRequestException", "The target must be the id of a Cognito identity, or the ARN of a certificate or of a thing group."}
	}
	return nil
}

func failed(err error) error {
	return &Error{"InternalFailureException", "The change could not be stored: " + err.Error()}
}

// CreatePolicy adds a policy.
func (r *Registry) CreatePolicy(name, document string) (Policy, error) {
	if err := checkName(name); err != nil {
		return Policy{}, err
	}
	d, err := Parse(document)
	if err != nil {
		return Policy{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.policies[name]; ok {
		return Policy{}, &Error{"ResourceAlreadyExistsException", "Policy cannot be created - name already exists (name=" + name + ")"}
	}
	if len(r.policies) >= maxPolicies {
		return Policy{}, &Error{"LimitExceededException", fmt.Sprintf("There are already %d policies.", maxPolicies)}
	}
	p := r.newPolicy(name, r.options.Now(), d)
	value, err := json.Marshal(storedPolicy{p.Created, document})
	if err == nil {
		err = r.options.Store.Apply(store.Change{Bucket: policyBucket, Key: name, Value: value})
	}
	if err != nil {
		return Policy{}, failed(err)
	}
	r.policies[name] = p
	return p, nil
}

// GetPolicy returns a policy.
func (r *Registry) GetPolicy(name string) (Policy, error) {
	if err := checkName(name); err != nil {
		return Policy{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, ok := r.policies[name]
	if !ok {
		return Policy{}, notFound(name)
	}
	return p, nil
}

// Policies returns all policies, in the order of their creation.
func (r *Registry) Policies() []Policy {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.SortedFunc(maps.Values(r.policies), func(a, b Policy) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
	})
}

// DeletePolicy removes a policy, which must not be attached to a target.
func (r *Registry) DeletePolicy(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.policies[name]; !ok {
		return notFound(name)
	}
	for _, names := range r.attachments {
		if slices.Contains(names, name) {
			return &Error{"DeleteConflictException", "The policy cannot be deleted as the policy is attached to one or more principals (name=" + name + ")"}
		}
	}
	if err := r.options.Store.Apply(store.Change{Bucket: policyBucket, Key: name}); err != nil {
		return failed(err)
	}
	delete(r.policies, name)
	return nil
}

// AttachPolicy attaches a policy to a target. It takes effect at once, also on open connections. If the
// policy is already attached, AttachPolicy does nothing.
func (r *Registry) AttachPolicy(name, target string) error {
	if err := cmp.Or(checkName(name), checkTarget(target)); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	names := r.attachments[target]
	switch _, ok := r.policies[name]; {
	case !ok:
		return notFound(name)
	case slices.Contains(names, name):
		return nil
	case len(names) >= maxAttachedPolicies:
		return &Error{"LimitExceededException", fmt.Sprintf("The target already has %d policies.", maxAttachedPolicies)}
	case r.attached >= maxAttachments:
		return &Error{"LimitExceededException", fmt.Sprintf("There are already %d attachments.", maxAttachments)}
	}
	return r.setAttachments(target, append(slices.Clone(names), name))
}

// DetachPolicy detaches a policy from a target. It takes effect at once, also on open connections.
func (r *Registry) DetachPolicy(name, target string) error {
	if err := cmp.Or(checkName(name), checkTarget(target)); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.policies[name]; !ok {
		return notFound(name) // the documentation does not list this error
	}
	i := slices.Index(r.attachments[target], name)
	if i < 0 {
		return nil // the documentation states no error for it
	}
	return r.setAttachments(target, slices.Delete(slices.Clone(r.attachments[target]), i, i+1))
}

// setAttachments replaces the policies of a target. The caller holds r.mu.
func (r *Registry) setAttachments(target string, names []string) error {
	change := store.Change{Bucket: attachmentBucket, Key: target}
	if len(names) > 0 {
		change.Value, _ = json.Marshal(names) // strings have a JSON form
	}
	if err := r.options.Store.Apply(change); err != nil {
		return failed(err)
	}
	r.attached += len(names) - len(r.attachments[target])
	if len(names) == 0 {
		delete(r.attachments, target)
	} else {
		r.attachments[target] = names
	}
	r.version.Add(1)
	return nil
}

// ListAttachedPolicies returns the policies that are attached to a target, sorted by name.
func (r *Registry) ListAttachedPolicies(target string) ([]Policy, error) {
	if err := checkTarget(target); err != nil {
		return nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	var list []Policy
	for _, name := range r.attachments[target] {
		list = append(list, r.policies[name])
	}
	slices.SortFunc(list, func(a, b Policy) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}
