package cognito

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"iot.wasm/internal/localiot/bounded"
	"iot.wasm/internal/localiot/store"
)

// The buckets of the store.
const (
	poolBucket     = "identity-pools" // the ids of pools by region
	identityBucket = "identities"
)

// identities are the identities of a Pool. They are not safe for concurrent use.
type identities struct {
	db      *store.DB
	users   *bounded.Map[identity] // by identity id
	created uint64                 // the number of identities that were created
}

// An identity is the value of an identity in the store.
type identity struct {
	Number uint64 // the order of the identities
	User   string `json:",omitempty"` // empty for a guest
}

// load reads the identities in the store.
func (t *identities) load() error {
	type entry struct {
		id string
		identity
	}
	var list []entry
	err := t.db.Load(identityBucket, func(id string, value []byte) error {
		e := entry{id: id}
		if json.Unmarshal(value, &e.identity) != nil {
			return fmt.Errorf("the stored identity %s is damaged", id)
		}
		list = append(list, e)
		return nil
	})
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.Number, b.Number) })
	for _, e := range list {
		t.users.Put(e.id, e.identity)
		t.created = e.Number
	}
	return err
}

// user returns the user of an identity, "" for a guest, and reports whether the identity exists.
func (t *identities) user(id string) (user string, ok bool) {
	i, ok := t.users.Get(id)
	return i.User, ok
}

// of returns the identity of a user.
func (t *identities) of(user string) (id string, ok bool) {
	for id, i := range t.users.All {
		if i.User == user {
			return id, true
		}
	}
	return "", false
}

// create creates an identity. user is "" for a guest. If there are too many identities, it removes the
// oldest one.
func (t *identities) create(id, user string) error {
	t.created++
	return t.put(id, identity{t.created, user})
}

// logIn gives the identity of a guest to a user.
func (t *identities) logIn(id, user string) error {
	i, _ := t.users.Get(id)
	return t.put(id, identity{i.Number, user})
}

func (t *identities) put(id string, i identity) error {
	value, err := json.Marshal(i)
	if err != nil {
		return err
	}
	if err := t.db.Apply(store.Change{Bucket: identityBucket, Key: id, Value: value}); err != nil {
		return err
	}
	if oldest, ok := t.users.Put(id, i); ok {
		t.db.Enqueue(store.Change{Bucket: identityBucket, Key: oldest})
	}
	return nil
}

// clear removes all identities.
func (t *identities) clear() {
	for id := range t.users.All {
		t.db.Enqueue(store.Change{Bucket: identityBucket, Key: id})
	}
	t.users = bounded.NewMap[identity](maxIdentities)
}

// openPool returns the id of the pool of a region in the store. If there is none, it creates one.
func openPool(db *store.DB, region string) (id string, err error) {
	err = db.Load(poolBucket, func(key string, value []byte) error {
		if key == region {
			id = string(value)
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case id == "":
		id = randomID(region)
		return id, db.Apply(store.Change{Bucket: poolBucket, Key: region, Value: []byte(id)})
	case !idPattern.MatchString(id) || !strings.HasPrefix(id, region+":"):
		return "", fmt.Errorf("the stored id of the identity pool is damaged")
	}
	return id, nil
}

// randomID returns an id in the format of Cognito: the region and a random UUID [RFC 9562, 5.4].
func randomID(region string) string { return region + ":" + randomUUID() }

func randomUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
