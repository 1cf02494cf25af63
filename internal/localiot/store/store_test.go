package store

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

func open(t *testing.T, dir string) *DB {
	t.Helper()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// contents returns the keys and values of a bucket as text.
func contents(t *testing.T, d *DB, bucket string) string {
	t.Helper()
	var b strings.Builder
	if err := d.Load(bucket, func(k string, v []byte) error {
		fmt.Fprintf(&b, "%s=%s ", k, v)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	if err := d.Apply(Change{"a", "2", []byte("two")}, Change{"a", "1", []byte("one")}, Change{"b", "1", []byte{}}); err != nil {
		t.Fatal(err)
	}
	d.Enqueue(Change{"a", "2", nil}, Change{"missing", "1", nil}, Change{"a", "3", []byte("three")})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Apply(Change{"a", "4", []byte("four")}); err == nil {
		t.Error("Apply after Close succeeded")
	}
	d = open(t, dir)
	if a, b := contents(t, d, "a"), contents(t, d, "b"); a != "1=one 3=three " || b != "1= " {
		t.Errorf("a contains %q, b contains %q", a, b)
	}
}

func TestNilDB(t *testing.T) {
	var d *DB
	d.Enqueue(Change{"a", "1", []byte("one")})
	if err := d.Apply(Change{"a", "1", []byte("one")}); err != nil {
		t.Error(err)
	}
	if got := contents(t, d, "a"); got != "" {
		t.Errorf("a contains %q", got)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestFolderInUse(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("error %v", err)
	}
}

func TestNotADatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/"+fileName, []byte(strings.Repeat("x", 1<<16)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("Open succeeded")
	}
}

// A change that the file cannot contain fails, and so do all later changes.
func TestInvalidChange(t *testing.T) {
	d := open(t, t.TempDir())
	if err := d.Apply(Change{"a", strings.Repeat("k", 1<<16), []byte("x")}); err == nil {
		t.Error("Apply succeeded")
	}
	if err := d.Apply(Change{"a", "1", []byte("x")}); err == nil {
		t.Error("Apply succeeded after an error")
	}
}

// Concurrent callers wait while more than maxQueued bytes are queued.
func TestLargeChanges(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	value := make([]byte, maxQueued/4)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := d.Apply(Change{"a", fmt.Sprint(i), value}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	d.Load("a", func(_ string, v []byte) error { n += len(v); return nil })
	if n != 16*len(value) {
		t.Errorf("the bucket has %d bytes, want %d", n, 16*len(value))
	}
}

const childVariable = "IOT_STORE_TEST_FOLDER"

// TestKill kills a process that writes, and checks that the file has all changes for which Apply
// returned.
func TestKill(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		writeForever(dir)
	}
	dir := t.TempDir()
	written := make(map[string]bool)
	for round := range 5 {
		child := exec.Command(os.Args[0], "-test.run", "^TestKill$")
		child.Env = append(os.Environ(), childVariable+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			written[lines.Text()] = true
			if n == 500+round*37 {
				child.Process.Kill() // continue to read what the child has written before
			}
		}
		io.Copy(io.Discard, out)
		child.Wait()
		d := open(t, dir)
		found := make(map[string]bool)
		d.Load("a", func(k string, _ []byte) error { found[k] = true; return nil })
		for k := range written {
			if !found[k] {
				t.Errorf("round %d: %s is missing", round, k)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// writeForever writes changes, and prints the key of each change that is written.
func writeForever(dir string) {
	d, err := Open(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var mu sync.Mutex
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, i)
				if err := d.Apply(Change{"a", key, make([]byte, 300)}); err != nil {
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(key)
				mu.Unlock()
			}
		}()
	}
	select {}
}

func BenchmarkApply(b *testing.B) {
	d, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	value := make([]byte, 300)
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if err := d.Apply(Change{"a", fmt.Sprint(i % 1000), value}); err != nil {
				b.Error(err)
			}
		}
	})
}
