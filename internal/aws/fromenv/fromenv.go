// Package fromenv is the AWS configuration of a Lambda function, from the
// environment that Lambda gives it and from nothing else. The SDK's own config
// package also looks for files, single sign-on and instance roles, which
// cost a function 2 MiB and a part of its start.
package fromenv

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// TryTime bounds each try of an AWS call, the reading of its answer included. The
// SDK makes three ("Retries and timeouts" in its developer guide). AWS answers
// within tens of milliseconds; a connection that was kept over a freeze of the
// function may be dead without a sign of it. What polls for longer, and what
// hands large or precious things over, needs a client of its own.
const TryTime = 2 * time.Second

// Config reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN ("Defined runtime environment variables" in the Lambda
// developer guide), and, where they are set, AWS_ENDPOINT_URL and AWS_CA_BUNDLE
// as the SDKs do.
func Config(getenv func(string) string) (aws.Config, error) {
	c := aws.Config{Region: getenv("AWS_REGION")}
	key, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	if c.Region == "" || key == "" || secret == "" {
		return c, errors.New("AWS configuration: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set, as Lambda sets them")
	}
	c.Credentials = aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(key, secret, getenv("AWS_SESSION_TOKEN")))
	if url := getenv("AWS_ENDPOINT_URL"); url != "" {
		c.BaseEndpoint = &url
	}
	client := awshttp.NewBuildableClient().WithTimeout(TryTime)
	c.HTTPClient = client
	if file := getenv("AWS_CA_BUNDLE"); file != "" {
		roots, err := readRoots(file)
		if err != nil {
			return c, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
		}
		c.HTTPClient = client.WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		})
	}
	return c, nil
}

func readRoots(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return roots, nil
}
