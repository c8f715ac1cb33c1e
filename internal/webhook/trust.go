package webhook

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// errNoCertificate says that a text is no bundle at all.
var errNoCertificate = errors.New("no certificate is there; it must be PEM, which begins with -----BEGIN CERTIFICATE-----")

// ParseRoots returns the machine's own authorities and those of a bundle besides:
// certificates as PEM, with any text between them. Its error never quotes the
// bundle.
func ParseRoots(bundle string) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("the machine's own authorities: %w", err)
	}
	block, rest := pem.Decode([]byte(bundle))
	if block == nil {
		return nil, errNoCertificate
	}
	for n := 1; block != nil; n++ {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("its block %d is no certificate but a %q", n, block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("its certificate %d can't be read: %w", n, err)
		}
		roots.AddCert(c)
		block, rest = pem.Decode(rest)
	}
	return roots, nil
}
