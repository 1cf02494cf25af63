// Package tlscert makes the TLS certificate of the local AWS IoT Core.
//
// A certificate authority (CA) signs the certificate of the server. Clients must trust the CA, for example
// with NODE_EXTRA_CA_CERTS. The private key of the CA is never stored, and a critical name constraint
// limits the CA to the hosts of the server, so that no one can use the CA for other hosts
// [RFC 5280, 4.2.1.10].
package tlscert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// CAFile is the name of the file with the certificate of the CA.
	CAFile = "tls-ca.pem"

	// serverFile is the name of the file with the certificate of the server and its private key.
	serverFile = "tls-server.pem"

	// lifetime is how long a new certificate is valid. Some clients refuse certificates that are valid for
	// more than 398 days.
	lifetime = 397 * 24 * time.Hour

	// minRemaining is how long a stored certificate must still be valid.
	minRemaining = 30 * 24 * time.Hour

	// backdate allows for clients whose clock is behind.
	backdate = 24 * time.Hour
)

// localHosts are the hosts of every certificate.
var localHosts = []string{"localhost", "127.0.0.1", "::1"}

// A Certificate is a certificate of the server, and its CA.
type Certificate struct {
	TLS    tls.Certificate
	CAFile string // the path of the certificate of the CA, in PEM; empty for a certificate of Load

	temporary string // the folder that Close removes; may be empty
}

// Close removes the files of a certificate that is not kept.
func (c *Certificate) Close() error {
	if c.temporary == "" {
		return nil
	}
	return os.RemoveAll(c.temporary)
}

// Local returns a certificate for localhost, 127.0.0.1, ::1 and further hosts. It reads the certificate from
// a folder. If the folder has no certificate for these hosts that is valid for another 30 days, Local makes
// one with a new CA, and stores it there. It creates the folder if necessary.
//
// If dir is empty, Local always makes a new certificate. It then stores only the certificate of the CA, in a
// temporary folder. The caller must call Close.
func Local(dir string, hosts []string, now time.Time) (*Certificate, error) {
	hosts = withLocal(hosts)
	if dir == "" {
		return inMemory(hosts, now)
	}
	c := &Certificate{CAFile: filepath.Join(dir, CAFile)}
	file := filepath.Join(dir, serverFile)
	stored, err := load(file, c.CAFile, hosts, now)
	if err == nil {
		c.TLS = *stored
		return c, nil
	} else if !errors.Is(err, errOutdated) && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ca, server, err := create(hosts, now)
	if err != nil {
		return nil, err
	}
	if c.TLS, err = tls.X509KeyPair(server, server); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// The CA is written last. Without it, load regards the other file as outdated.
	if err := errors.Join(os.RemoveAll(c.CAFile), write(file, server), write(c.CAFile, ca)); err != nil {
		return nil, err
	}
	return c, nil
}

// Load reads a certificate chain and its private key from two files in PEM.
func Load(certFile, keyFile string) (*Certificate, error) {
	c, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", certFile, keyFile, err)
	}
	return &Certificate{TLS: c}, nil
}

// inMemory returns a new certificate that is not kept.
func inMemory(hosts []string, now time.Time) (*Certificate, error) {
	ca, server, err := create(hosts, now)
	if err != nil {
		return nil, err
	}
	c := new(Certificate)
	if c.TLS, err = tls.X509KeyPair(server, server); err != nil {
		return nil, err
	}
	if c.temporary, err = os.MkdirTemp("", "local-aws-iot-"); err != nil {
		return nil, err
	}
	c.CAFile = filepath.Join(c.temporary, CAFile)
	return c, write(c.CAFile, ca)
}

// write replaces a file, which only the user can read.
func write(name string, content []byte) error {
	temporary := name + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

// withLocal returns localHosts and hosts without repetitions.
func withLocal(hosts []string) []string {
	all := slices.Clone(localHosts)
	for _, host := range hosts {
		host = strings.ToLower(strings.Trim(host, "[]"))
		if host != "" && !slices.Contains(all, host) {
			all = append(all, host)
		}
	}
	return all
}

var errOutdated = errors.New("the stored certificate is outdated")

// load reads a stored certificate. The error is errOutdated if clients that trust the stored CA would not
// accept the certificate for all hosts.
func load(serverFile, caFile string, hosts []string, now time.Time) (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(serverFile, serverFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", serverFile, err)
	}
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	for _, at := range []time.Time{now, now.Add(minRemaining)} {
		for _, host := range hosts {
			if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: at}); err != nil {
				return nil, errOutdated
			}
		}
	}
	return &c, nil
}

// create returns a new CA in PEM, and a certificate that the CA has signed, with its private key, in PEM.
func create(hosts []string, now time.Time) (ca, server []byte, err error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	from, until := now.Add(-backdate).UTC(), now.Add(lifetime).UTC()
	issuer := &x509.Certificate{
		SerialNumber: serialNumber(),
		// Browsers list the CA by its name. The serial number distinguishes several CAs.
		Subject:                     pkix.Name{Organization: []string{"Local AWS IoT Core"}, CommonName: "Local AWS IoT Core CA " + from.Format("2006-01-02")},
		NotBefore:                   from,
		NotAfter:                    until,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
	}
	leaf := &x509.Certificate{
		SerialNumber:          serialNumber(),
		Subject:               pkix.Name{Organization: []string{"Local AWS IoT Core"}, CommonName: "localhost"},
		NotBefore:             from,
		NotAfter:              until,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip == nil {
			leaf.DNSNames = append(leaf.DNSNames, host)
			issuer.PermittedDNSDomains = append(issuer.PermittedDNSDomains, host)
		} else {
			if v4 := ip.To4(); v4 != nil {
				ip = v4
			}
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
			issuer.PermittedIPRanges = append(issuer.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
		}
	}
	caDER, err := x509.CreateCertificate(rand.Reader, issuer, issuer, caKey.Public(), caKey)
	if err != nil {
		return nil, nil, err
	}
	if issuer, err = x509.ParseCertificate(caDER); err != nil {
		return nil, nil, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, issuer, serverKey.Public(), caKey)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		return nil, nil, err
	}
	server = append(block("CERTIFICATE", leafDER), block("PRIVATE KEY", keyDER)...)
	return block("CERTIFICATE", caDER), server, nil
}

// serialNumber returns a random positive number [RFC 5280, 4.1.2.2].
func serialNumber() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[0] = b[0]&0x7f | 1
	return new(big.Int).SetBytes(b[:])
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Fingerprint returns the SHA-256 hash of the public key of the server in base64, for the flag
// --ignore-certificate-errors-spki-list of Chrome.
func (c *Certificate) Fingerprint() string {
	sum := sha256.Sum256(c.TLS.Leaf.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Instructions returns a text that explains how clients trust the certificate. url is that of the server. For
// a certificate of Load the text is empty.
func (c *Certificate) Instructions(url string) string {
	ca := c.CAFile
	if ca == "" {
		return ""
	}
	if absolute, err := filepath.Abs(ca); err == nil {
		ca = absolute
	}
	return fmt.Sprintf(`Clients must trust the CA in %[1]s:
  Chrome   chrome://certificate-manager > Custom > Installed by you > Trusted certificates > Import (before version 131: Settings >
           Privacy and security > Security > Manage certificates > Authorities > Import).
           A test can instead start it with --user-data-dir=DIR --ignore-certificate-errors-spki-list=%[2]s
  Firefox  Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import
  Node     NODE_EXTRA_CA_CERTS=%[1]s node ...
  curl     curl --cacert %[1]s %[3]s
  aws      AWS_CA_BUNDLE=%[1]s aws ...
`, ca, c.Fingerprint(), url)
}
