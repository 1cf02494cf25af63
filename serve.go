// Serve serves the files of www/ and a local stand-in for AWS IoT Core, so that iot.wasm works without an
// AWS account. By default it listens on loopback addresses only.
//
//	make wasm && go run serve.go
//
// The first line on the standard output contains the URL. SIGINT and SIGTERM stop it.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"iot.wasm/internal/localiot"
	"iot.wasm/internal/localiot/logtext"
	"iot.wasm/internal/localiot/tlscert"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run returns the exit code: 0 after a signal or with -help, 2 for invalid arguments, and 1 for any
// other error.
func run(args []string) int {
	flags := flag.NewFlagSet("serve.go", flag.ContinueOnError)
	addr := flags.String("addr", "localhost:8080", "listen on `host:port`; port 0 selects a free port, and no host means localhost")
	www := flags.String("www", "www", "serve the files in this `folder`")
	region := flags.String("region", "us-east-1", "the AWS `region` of signatures, ARNs and the Cognito identity pool")
	maxQoS := flags.Uint("max-qos", 1, "highest `QoS` of the broker: 1, as with AWS IoT, or 2")
	lifetime := flags.Duration("cognito-lifetime", time.Hour, "how long temporary credentials of the local Cognito are valid")
	connection := flags.Duration("connection-lifetime", 24*time.Hour, "how long a connection with a signed URL may last; AWS IoT closes it after 24h")
	attach := flags.Bool("attach-policy", false, "attach an AWS IoT policy to authenticated Cognito identities; without the policy they may not connect")
	policy := flags.String("policy", "", "apply the AWS IoT policy document in this `file` to the key of /local.json and to Cognito guests; without it the key allows everything")
	custom := flags.String("authorizer", "", "accept clients by the custom authorizers in this `file`; internal/localiot/authorizer describes it")
	data := flags.String("data", "", "keep the state of the broker and the other services in this `folder`; without it they keep their state in memory only")
	quotas := flags.String("quotas", "aws", "enforce the structural `quotas` of AWS IoT (sizes, depths, counts): aws or none")
	rates := flags.Bool("rate-quotas", false, "enforce the rate quotas of AWS IoT too: 100 publishes/s on a connection, 1 CONNECT/s for a client id")
	verbose := flags.Bool("v", false, "print one line on stderr for each connect, refusal, subscribe, publish and step of a shadow or a job")
	logFormat := flags.String("log", "text", "the `format` of the lines on stderr: text, or json, which implies -v")
	secure := flags.Bool("tls", false, "serve https and wss with a certificate for localhost, 127.0.0.1, ::1 and the hosts of -addr and -allow-host; -data keeps it")
	certFile := flags.String("tls-cert", "", "serve https and wss with the certificate chain in this PEM `file`")
	keyFile := flags.String("tls-key", "", "the private key of -tls-cert, in this PEM `file`")
	faults := flags.Bool("faults", false, "for tests: inject the faults that programs on this machine POST to /control, such as {\"cut\":\"*\"}; internal/localiot/faults describes them")
	var hosts, origins list
	flags.Var(&hosts, "allow-host", "serve these `hosts` in addition to localhost and the host of -addr (a,b or repeated)")
	flags.Var(&origins, "allow-origin", "serve pages of these `origins` in addition to those of allowed hosts (a,b or repeated)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	host, port, err := net.SplitHostPort(*addr)
	if err != nil || flags.NArg() > 0 || *maxQoS < 1 || *maxQoS > 2 || *quotas != "aws" && *quotas != "none" || *lifetime <= 0 || *connection <= 0 || (*certFile == "") != (*keyFile == "") || *logFormat != "text" && *logFormat != "json" {
		fmt.Fprintln(os.Stderr, "serve.go takes flags only; -addr must be host:port, -max-qos 1 or 2, -quotas aws or none, -log text or json, -cognito-lifetime and -connection-lifetime above 0, and -tls-cert needs -tls-key")
		flags.Usage()
		return 2
	}

	if info, err := os.Stat(*www); err != nil || !info.IsDir() {
		return fail("the folder %s does not exist; run this from the project's folder", *www)
	}
	if wasm := filepath.Join(*www, "iot.wasm"); !exists(wasm) {
		return fail("%s is missing; run: make wasm", wasm)
	}
	listeners, err := listen(host, port)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fail("port %s is taken; choose another with -addr, such as: go run serve.go -addr :0", port)
	} else if err != nil {
		return fail("%v", err)
	}
	if bound := listeners[0].Addr().(*net.TCPAddr); !bound.IP.IsLoopback() {
		fmt.Fprintf(os.Stderr, "warning: this server listens on %v, so other machines can use it and its credentials with the host of -addr or of -allow-host\n", bound)
	}

	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	logger := newLogger(*verbose, *logFormat == "json")
	server, err := localiot.New(localiot.Options{
		WWW:                os.DirFS(*www),
		Region:             *region,
		MaximumQoS:         byte(*maxQoS),
		AllowedHosts:       append(hosts, host),
		AllowedOrigins:     origins,
		ConnectionLifetime: *connection,
		CredentialLifetime: *lifetime,
		AttachPolicy:       *attach,
		Policy:             *policy,
		Authorizer:         *custom,
		Data:               *data,
		NoQuotas:           *quotas == "none",
		RateQuotas:         *rates,
		Faults:             *faults,
		Logger:             logger,
	})
	if err != nil {
		return fail("%v", err)
	}

	// The server has locked the folder of -data.
	var certificate *tlscert.Certificate
	switch {
	case *certFile != "":
		certificate, err = tlscert.Load(*certFile, *keyFile)
	case *secure:
		certificate, err = tlscert.Local(*data, append(hosts, host), time.Now())
	}
	if err != nil {
		server.Close()
		return fail("%v", err)
	}
	if certificate != nil {
		defer certificate.Close()
	}
	return serve(server, listeners, host, certificate, logger)
}

// serve serves requests until a signal arrives, and then closes the connections of all clients. With a
// certificate it serves TLS only.
func serve(server *localiot.Server, listeners []net.Listener, host string, certificate *tlscert.Certificate, logger *slog.Logger) int {
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	web := &http.Server{
		Handler: server,
		// A client must send its whole request within 10 s. These timeouts do not apply to a
		// WebSocket; the broker sets other ones.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Minute, // enough for the wasm with the network throttling of a browser's tools
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn), // such as an error in a TLS handshake
	}
	url := "http://"
	serve := web.Serve
	if certificate != nil {
		url = "https://"
		web.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate.TLS}}
		web.Protocols = new(http.Protocols) // no HTTP/2, in which a connection cannot become a WebSocket
		web.Protocols.SetHTTP1(true)
		serve = func(l net.Listener) error { return web.ServeTLS(l, "", "") }
	}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- serve(l) }()
	}
	url += net.JoinHostPort(host, strconv.Itoa(listeners[0].Addr().(*net.TCPAddr).Port)) + "/"
	fmt.Printf("iot.wasm is at %s\npolicy: %s\n", url, server.ActivePolicy())
	if certificate != nil {
		fmt.Print(certificate.Instructions(url))
	}
	for _, warning := range server.PolicyWarnings() {
		fmt.Fprintf(os.Stderr, "warning: -policy: %s\n", warning)
	}

	select {
	case err := <-failed:
		return fail("%v", err)
	case <-interrupted.Done():
	}
	stop() // a second signal ends the process at once
	server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if web.Shutdown(ctx) != nil {
		web.Close()
	}
	return 0
}

// newLogger returns a logger for stderr. It prints warnings, and lines of the level Info if verbose or json is
// set.
func newLogger(verbose, json bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose || json {
		level = slog.LevelInfo
	}
	if json {
		return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(logtext.New(os.Stderr, level))
}

// listen listens on host. For localhost it listens on both the IPv4 and the IPv6 loopback address,
// because a browser may use either.
func listen(host, port string) ([]net.Listener, error) {
	if host != "" && host != "localhost" {
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		return []net.Listener{l}, err
	}
	for attempt := 1; ; attempt++ {
		v4, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			return nil, err
		}
		_, chosen, _ := net.SplitHostPort(v4.Addr().String())
		v6, err := net.Listen("tcp", net.JoinHostPort("::1", chosen))
		switch {
		case err == nil:
			return []net.Listener{v4, v6}, nil
		case !errors.Is(err, syscall.EADDRINUSE):
			return []net.Listener{v4}, nil // the machine has no IPv6
		case port != "0" || attempt == 10:
			v4.Close()
			return nil, err
		}
		v4.Close()
	}
}

// list is a flag.Value. The flag may occur more than once, and may have several values, separated by
// commas.
type list []string

// String implements flag.Value.
func (l *list) String() string { return strings.Join(*l, ",") }

// Set implements flag.Value.
func (l *list) Set(values string) error {
	*l = append(*l, strings.Split(values, ",")...)
	return nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// fail prints an error and returns exit code 1.
func fail(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	return 1
}
