// Command urls reads cases from the standard input and prints their signed URLs. A case is a line with quoted texts. The
// program reads and writes with package syscall, because it must also run with the stand-in for package os.
package main

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

func main() {
	var input []byte
	for buffer := make([]byte, 1<<16); ; {
		n, err := syscall.Read(0, buffer)
		if err != nil {
			panic(err)
		}
		if n == 0 {
			break
		}
		input = append(input, buffer[:n]...)
	}
	var output []byte
	for line := range strings.Lines(string(input)) {
		output = append(output, sign(fields(line))...)
	}
	for len(output) > 0 {
		n, err := syscall.Write(1, output)
		if err != nil {
			panic(err)
		}
		output = output[n:]
	}
}

// fields returns the texts of a line.
func fields(line string) (f [7]string) {
	for i := range f {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			panic(err)
		}
		f[i], _ = strconv.Unquote(quoted) // QuotedPrefix has checked it
		line = strings.TrimSpace(line[len(quoted):])
	}
	return f
}

// sign returns the signed URL, or the error.
func sign(f [7]string) string {
	e, err := sigv4.ParseEndpoint(f[0], f[1])
	if err != nil {
		return fmt.Sprintln(err)
	}
	c := sigv4.Credentials{AccessKeyID: f[2], SecretAccessKey: secret.String(f[3]), SessionToken: secret.String(f[4])}
	now, err := strconv.ParseInt(f[5], 10, 64)
	if err != nil {
		panic(err)
	}
	expires, err := strconv.Atoi(f[6])
	if err != nil {
		panic(err)
	}
	signed, err := sigv4.Presign(e, c, time.Unix(now, 0), expires)
	return fmt.Sprintln(signed.Reveal(), err)
}
