// Package sim runs whole lives of clients against a model broker over a bad
// network, on a virtual clock, everything drawn from one seed.
//
// A world makes and breaks as it goes: frames are cut anywhere and joined,
// delayed and stalled; connections drop, go half open, are refused with any
// reason; the broker restarts, with and without its sessions, and falls silent;
// credentials expire; clocks jump and timers slip; pages are reloaded while their
// session holds messages; and the user calls everything at any time. What must
// hold all the way is checked where it happens, in broker_test.go, user_test.go
// and sim_test.go. A seed replays exactly.
package sim
