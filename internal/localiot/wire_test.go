package localiot

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

func TestWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, near := net.Pipe()
		w := newWire(near)
		read := make(chan error, 1)
		wrote := make(chan error, 1)
		go func() { _, err := w.Read(make([]byte, 1)); read <- err }() // under way when it freezes
		synctest.Wait()
		w.freeze()
		go far.Write([]byte("a"))
		go func() { _, err := w.Write([]byte("b")); wrote <- err }()
		synctest.Wait()
		if len(read)+len(wrote) > 0 {
			t.Fatal("a frozen connection carries something")
		}
		w.thaw()
		if err := <-read; err != nil {
			t.Errorf("read: %v", err)
		}
		if b := make([]byte, 1); read1(far, b) != nil || b[0] != 'b' {
			t.Errorf("the other side reads %q", b)
		}
		<-wrote

		// The other side hears of the end once it has thawed.
		w.freeze()
		go func() { _, err := w.Read(make([]byte, 1)); read <- err }()
		heard := make(chan error, 1)
		go func() { heard <- read1(far, make([]byte, 1)) }()
		synctest.Wait()
		w.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v, want %v", err, net.ErrClosed)
		}
		synctest.Wait()
		if len(heard) > 0 {
			t.Error("the other side has heard of the end")
		}
		w.thaw()
		if err := <-heard; err != io.EOF {
			t.Errorf("the other side reads %v, want %v", err, io.EOF)
		}
	})
}

func read1(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	return err
}
