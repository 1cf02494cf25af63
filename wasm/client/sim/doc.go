// Package sim simulates clients, the network and a broker with a virtual clock. A seed
// determines all events, so a simulation can be repeated exactly.
//
// The simulation injects faults: the network splits, joins, delays and stalls frames;
// connections are lost, half-open or refused; the broker restarts, with and without its
// sessions, and stops answering; credentials expire; clocks jump and timers are late; pages
// are reloaded while their session contains messages. Meanwhile, users call all operations
// of their clients. The rules that must hold are in conn_test.go, broker_test.go,
// rules_test.go, host_test.go and sim_test.go.
package sim
