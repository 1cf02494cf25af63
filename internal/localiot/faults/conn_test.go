package faults

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

func TestFrozenConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		c := NewConn(server)
		read := make(chan error, 1)
		wrote := make(chan error, 1)
		go func() { _, err := c.Read(make([]byte, 1)); read <- err }() // in progress when the connection freezes
		synctest.Wait()
		c.freeze()
		go client.Write([]byte("a"))
		go func() { _, err := c.Write([]byte("b")); wrote <- err }()
		synctest.Wait()
		if len(read)+len(wrote) > 0 {
			t.Fatal("a frozen connection transmits bytes")
		}
		c.thaw()
		if err := <-read; err != nil {
			t.Errorf("read: %v", err)
		}
		if b := make([]byte, 1); readFull(client, b) != nil || b[0] != 'b' {
			t.Errorf("the client reads %q", b)
		}
		<-wrote

		// The client detects the close of a frozen connection only after the connection has thawed.
		c.freeze()
		go func() { _, err := c.Read(make([]byte, 1)); read <- err }()
		clientRead := make(chan error, 1)
		go func() { clientRead <- readFull(client, make([]byte, 1)) }()
		synctest.Wait()
		c.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v, want %v", err, net.ErrClosed)
		}
		synctest.Wait()
		if len(clientRead) > 0 {
			t.Error("the client detects the close of a frozen connection")
		}
		c.thaw()
		if err := <-clientRead; err != io.EOF {
			t.Errorf("the client reads %v, want %v", err, io.EOF)
		}
	})
}

// Thaw does not count a frozen connection that was cut. A closed connection cannot be frozen.
func TestClosedConnIsNotFrozen(t *testing.T) {
	p := NewPending()
	_, server := net.Pipe()
	c := NewConn(server)
	if !p.Freeze(c, "c") {
		t.Error("an open connection was not frozen")
	}
	p.Cut(c)
	if n := p.Thaw(AllClients); n != 0 {
		t.Errorf("Thaw after Cut: %d connections, want 0", n)
	}
	if p.Freeze(c, "c") {
		t.Error("a closed connection was frozen")
	}
	if n := p.Thaw(AllClients); n != 0 {
		t.Errorf("Thaw of a closed connection: %d connections, want 0", n)
	}

	// A connection that closes while it is frozen stays frozen.
	_, server = net.Pipe()
	c = NewConn(server)
	p.Freeze(c, "c")
	c.Close()
	if n := p.Thaw("c"); n != 1 {
		t.Errorf("Thaw after Close: %d connections, want 1", n)
	}
}

func readFull(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	return err
}
