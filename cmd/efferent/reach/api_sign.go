package reach

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/efferent/efferent/cmd/efferent/console"
)

// signer signs requests with the caller's own AWS credentials (SigV4).
type signer struct {
	credentials aws.CredentialsProvider
	region      string
}

// newSigner finds the credentials as every AWS tool does. For an API on this
// machine it is nil where there are none: efferent dev and worker ask for none,
// an emulator may.
func newSigner(ctx context.Context, base *url.URL) (*signer, error) {
	options := []func(*config.LoadOptions) error{quiet}
	local := isLoopback(base)
	if local { // the metadata service of EC2 lets a laptop wait for seconds
		options = append(options, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err == nil {
		_, err = c.Credentials.Retrieve(ctx)
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, console.ErrInterrupted
	case err != nil && local:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("no AWS credentials to sign requests to %s with; set AWS_PROFILE, sign in, or give a --token: %w", base.Host, err)
	}
	s := &signer{c.Credentials, cmp.Or(regionOf(base), c.Region)}
	if s.region == "" && local {
		s.region = DevRegion
	}
	if s.region == "" {
		return nil, fmt.Errorf("in which AWS region is %s? Set AWS_REGION", base.Host)
	}
	return s, nil
}

var gatewayHost = regexp.MustCompile(`\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)

// regionOf reads the region from the name of an API Gateway host; empty where
// it says none.
func regionOf(base *url.URL) string {
	if found := gatewayHost.FindStringSubmatch(base.Hostname()); found != nil {
		return found[1]
	}
	return ""
}

func (s *signer) sign(ctx context.Context, req *http.Request, body []byte, now time.Time) error {
	key, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("the AWS credentials can't be renewed: %w", err)
	}
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(sum[:]), "execute-api", s.region, now)
}
