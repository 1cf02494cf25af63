// Package store keeps the state of the local AWS IoT Core in a file, so that it survives the end of the
// process. Each service keeps its state in memory, and writes changes to the DB before it acknowledges
// them.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	// fileName is the name of the file in the folder of a DB.
	fileName = "iot.db"

	// maxQueued is the size of the changes that wait for the writer, in bytes, above which Apply and
	// Enqueue wait.
	maxQueued = 16 << 20

	// changeOverhead estimates the memory of a queued Change without its text, in bytes.
	changeOverhead = 64
)

// A Change sets the value of a key, or deletes the key if the value is nil. Services choose buckets and
// keys. A key must not be empty, and has at most 32,768 bytes.
type Change struct {
	Bucket, Key string
	Value       []byte
}

func (c Change) size() int { return changeOverhead + len(c.Bucket) + len(c.Key) + len(c.Value) }

// A DB writes changes to a file. It is safe for concurrent use. A nil DB keeps nothing: its methods do
// nothing and succeed.
//
// The operating system has a change when Apply returns, so the change survives the end of the process by
// any signal. The DB does not wait for the disk: after a power failure the file may be damaged.
type DB struct {
	bolt    *bbolt.DB
	stopped chan struct{} // closed when the writer has returned

	mu      sync.Mutex
	changed sync.Cond // signals a change of the fields below
	queue   []request
	queued  int   // the size of the changes in queue, in bytes
	closed  bool  // whether Close was called
	err     error // the first error of the writer; no change is written after it
}

// A request contains the changes of one call, which one transaction writes.
type request struct {
	changes []Change
	done    func(error) // nil: nothing waits for the request
}

// Open opens the DB in a folder, which it creates if necessary. It returns an error if another process
// uses the folder, or if the file is not a DB.
func Open(dir string) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, fileName)
	bolt, err := bbolt.Open(name, 0o600, &bbolt.Options{
		Timeout:      time.Second, // for the lock of the file
		NoSync:       true,
		FreelistType: bbolt.FreelistMapType,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use by another process", name)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d := &DB{bolt: bolt, stopped: make(chan struct{})}
	d.changed.L = &d.mu
	go d.write()
	return d, nil
}

// Load calls each for every key of a bucket, in the order of the keys. The value is valid until each
// returns. If each returns an error, Load stops and returns it.
func (d *DB) Load(bucket string, each func(key string, value []byte) error) error {
	if d == nil {
		return nil
	}
	return d.bolt.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error { return each(string(k), v) })
	})
}

// Apply writes changes, all or none of them, and returns after they are written. The changes of one call
// are written in their order, and after those of earlier calls.
func (d *DB) Apply(changes ...Change) error {
	if d == nil || len(changes) == 0 {
		return nil
	}
	written := make(chan error, 1)
	d.Submit(func(err error) { written <- err }, changes...)
	return <-written
}

// Submit is like Apply, but does not wait until the changes are written. It calls done afterwards, with
// the error that Apply would return. done must not block, and must not call the DB. Without a DB or
// changes, Submit calls done before it returns.
func (d *DB) Submit(done func(error), changes ...Change) {
	if d == nil || len(changes) == 0 {
		done(nil)
	} else if err := d.enqueue(request{changes, done}); err != nil {
		done(err)
	}
}

// Enqueue is like Apply, but returns before the changes are written. It is for changes that may be lost,
// such as the removal of a message that was acknowledged. It ignores errors.
func (d *DB) Enqueue(changes ...Change) {
	if d != nil && len(changes) > 0 {
		_ = d.enqueue(request{changes, nil})
	}
}

func (d *DB) enqueue(r request) error {
	size := 0
	for _, c := range r.changes {
		size += c.size()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.queued > 0 && d.queued+size > maxQueued && !d.closed && d.err == nil {
		d.changed.Wait()
	}
	if d.err != nil {
		return d.err
	}
	if d.closed {
		return errors.New("store: the DB is closed")
	}
	d.queue = append(d.queue, r)
	d.queued += size
	d.changed.Broadcast()
	return nil
}

// write writes the queue until the DB is closed. One transaction contains all requests that are queued
// when it begins, because a transaction costs far more than a change.
func (d *DB) write() {
	defer close(d.stopped)
	for {
		d.mu.Lock()
		for len(d.queue) == 0 && !d.closed {
			d.changed.Wait()
		}
		batch, err := d.queue, d.err
		d.queue, d.queued = nil, 0
		d.changed.Broadcast()
		d.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		if err == nil {
			err = d.bolt.Update(func(tx *bbolt.Tx) error { return apply(tx, batch) })
		}
		if err != nil {
			d.mu.Lock()
			d.err = err
			d.mu.Unlock()
		}
		for _, r := range batch {
			if r.done != nil {
				r.done(err)
			}
		}
	}
}

func apply(tx *bbolt.Tx, batch []request) error {
	for _, r := range batch {
		for _, c := range r.changes {
			b, err := tx.CreateBucketIfNotExists([]byte(c.Bucket))
			if err != nil {
				return err
			}
			if c.Value == nil {
				err = b.Delete([]byte(c.Key))
			} else {
				err = b.Put([]byte(c.Key), c.Value)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Close writes the queue to the disk, and closes the file. Later changes fail. A second call does
// nothing.
func (d *DB) Close() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	d.changed.Broadcast()
	d.mu.Unlock()
	<-d.stopped
	return errors.Join(d.err, d.bolt.Sync(), d.bolt.Close())
}
