package channel

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/efferent/efferent/internal/pace"
)

// Limit is how fast a provider takes what a sender has for somebody: all that has one
// key goes at one rate, whoever sends it.
type Limit struct {
	// Key holds nothing secret, and no address.
	Key string
	pace.Rate
}

// Paced is a Sender that knows whom it shares a provider's limit with. Of one that does
// not know all of the channel's share one, of which what is refused tells the rate.
type Paced interface {
	Limit(recipient string) Limit
}

// LimitOf is the limit of what a sender has for somebody on a channel.
func LimitOf(s Sender, on Name, recipient string) Limit {
	if p, ok := s.(Paced); ok {
		if l := p.Limit(recipient); l.Key != "" {
			return l
		}
	}
	return Limit{Key: string(on)}
}

// margin is how much slower than its limit a provider is sent to: what leaves at even
// times arrives at uneven ones, and may count as two in one second.
const margin = 1.05

// RateOf is the rate of so many a second; of 0 none is known.
func RateOf(perSecond float64) pace.Rate { return pace.PerSecond(perSecond / margin) }

// LimitKey names a limit of a provider. Parts of the name are hashed: they may be
// addresses, or secret.
func LimitKey(provider string, parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return provider + "/" + hex.EncodeToString(h.Sum(nil)[:12])
}
