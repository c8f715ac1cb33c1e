package endpoints

import (
	"context"
	"errors"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
)

// checkKind refuses to make a private key for a signature that takes a shared one: each
// message would fail for good.
func checkKind(s *webhook.Signature, kind string) error {
	if kind != keyPrivate || !s.Shared() {
		return nil
	}
	return &message.FieldError{Field: "key", Problem: `must be "whsec": the signature's scheme ` + s.Scheme + " takes a shared key"}
}

// checkKey refuses a signature that an endpoint's key can't make. It reads the key where
// one of the two is another than before. A key that is not there is not its business.
func (h *Handler) checkKey(ctx context.Context, was, is endpoint.Endpoint) error {
	isNew := was.Secret == "" && is.Secret == ownSecret(is)
	if !is.Signature.Shared() || isNew || was.Signature.Shared() && was.Secret == is.Secret {
		return nil
	}
	k, err := h.keyOf(ctx, is.Secret, true)
	if err != nil {
		if errors.As(err, new(errSecret)) {
			return nil
		}
		return err
	}
	if s, err := webhook.ParseSecret(k.Current); err != nil || s.PublicKey() == "" {
		return nil
	}
	return &message.FieldError{Field: "signature.scheme",
		Problem: is.Signature.Scheme + " takes a shared key, and the endpoint's is a private one (whsk_)"}
}
