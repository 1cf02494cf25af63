// Command urls prints signed URLs: of the golden cases in the file of the first argument, and of random cases. The
// second argument is the number of random cases.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

func main() {
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	golden(out, os.Args[1])
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		host := "a" + text(r, "abcXYZ019-", 0, 30) + ".example"
		path, query := text(r, "ab/ ~é+&=.", 0, 12), text(r, "ab=&+é", 0, 20)
		if r.IntN(4) == 0 {
			path, query = path+"%2F%20", query+"%26%"+text(r, "0123", 1, 2) // some are not valid
		}
		endpoint := []string{"", "ws://", "wss://", "https://"}[r.IntN(4)] + host + []string{"", ":8443"}[r.IntN(2)] + "/" + path + "?" + query
		c := sigv4.Credentials{
			AccessKeyID: text(r, "AKIDasia0129", 1, 20), SecretAccessKey: secret.String(text(r, "wJalr/UtnFEMI+K7é", 1, 40)),
			SessionToken: secret.String(text(r, "token/+=é", 0, 200)),
		}
		sign(out, endpoint, text(r, "us-eastw1", 1, 12), c, time.Unix(r.Int64N(1<<33), 0), r.IntN(3)*r.IntN(604801)/2)
	}
	if err := out.Flush(); err != nil {
		panic(err)
	}
}

// golden prints the URLs of the golden cases.
func golden(out *bufio.Writer, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var g struct {
		Cases []struct {
			Host, Region, Date, AccessKeyID, SecretAccessKey, SessionToken, URL string
			Port, Expires                                                       int
		}
	}
	if err := json.Unmarshal(data, &g); err != nil {
		panic(err)
	}
	for _, c := range g.Cases {
		now, err := time.Parse("20060102T150405Z", c.Date)
		if err != nil {
			panic(err)
		}
		scheme, _, _ := strings.Cut(c.URL, "://")
		key := sigv4.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: secret.String(c.SecretAccessKey), SessionToken: secret.String(c.SessionToken)}
		sign(out, fmt.Sprintf("%s://%s:%d/mqtt", scheme, c.Host, c.Port), c.Region, key, now, c.Expires)
	}
}

// sign prints the signed URL, or the error.
func sign(out *bufio.Writer, endpoint, region string, c sigv4.Credentials, now time.Time, expires int) {
	e, err := sigv4.ParseEndpoint(endpoint, region)
	if err != nil {
		fmt.Fprintln(out, err)
		return
	}
	signed, err := sigv4.Presign(e, c, now, expires)
	fmt.Fprintln(out, signed.Reveal(), err)
}

// text returns a random text of the runes in alphabet, with a length from least to most.
func text(r *rand.Rand, alphabet string, least, most int) string {
	runes := []rune(alphabet)
	b := make([]rune, least+r.IntN(most-least+1))
	for i := range b {
		b[i] = runes[r.IntN(len(runes))]
	}
	return string(b)
}
