// Package sim tests package client with random scenarios on a virtual clock. Each
// scenario (a world) has a few pages with clients, a model broker, and a network between
// them. One seed determines all random choices of a world, so that a run with the same
// seed repeats it exactly.
//
// A world contains these events:
//   - Pages connect, disconnect, reconnect, publish, subscribe and unsubscribe.
//   - The network splits and joins frames, delays them, stalls, loses connections, and
//     leaves connections half-open.
//   - The broker refuses connections, restarts with or without its sessions, and stops
//     acknowledging.
//   - Providers fail, credentials expire, clocks change, and timers are late.
//   - Pages are suspended, and are reloaded while the broker's session holds messages.
//
// The model broker and the pages check the rules of MQTT and of the client during the run.
// They call world.broken if a rule does not hold. TestMutants checks that these checks
// find deliberate bugs.
package sim
