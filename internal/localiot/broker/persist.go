package broker

import "iot.wasm/internal/localiot/store"

func (b *Broker) load() error { return nil }

// storeLater stores changes that need not be stored before an acknowledgement. The caller holds b.mu.
func (b *Broker) storeLater(changes []store.Change) { b.store.Enqueue(changes...) }

func (b *Broker) submit(changes []store.Change, done func(error)) { done(nil) }

func (c *Conn) submit(changes []store.Change, g *gate) {}

func (b *Broker) sessionChange(s *session) []store.Change                 { return nil }
func (b *Broker) deleteSession(s *session) []store.Change                 { return nil }
func (b *Broker) deliveryChange(owner string, d *delivery) []store.Change { return nil }
func (b *Broker) deleteDelivery(owner string, d *delivery) []store.Change { return nil }
func (b *Broker) retainedChange(r *retained) []store.Change               { return nil }
func (b *Broker) deleteRetained(topic string) []store.Change              { return nil }
