package channel

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/efferent/efferent/internal/message"
)

// SMSConfig is the secret efferent/twilio, of Twilio or of AWS.
type SMSConfig struct {
	// EndUserMessaging: send by AWS End User Messaging, with the function's own
	// role, from OriginationIdentity. Twilio's fields are empty then.
	EndUserMessaging    bool   `json:"end_user_messaging"`
	OriginationIdentity string `json:"origination_identity"`

	AccountSID          string `json:"account_sid"`
	AuthToken           string `json:"auth_token"`
	FromNumber          string `json:"from_number"`           // or …
	MessagingServiceSID string `json:"messaging_service_sid"` // MG…
	BaseURL             string `json:"base_url"`
	// CallbackURL is the address of Efferent's API, at which Twilio reports what becomes
	// of messages; empty where it is not to.
	CallbackURL string `json:"callback_url"`

	// MaxSegments is the most SMS of one notification (DefaultSegments).
	MaxSegments int `json:"max_segments"`
	// RatePerSecond is how many notifications go from one sender; 0 where no limit is
	// known.
	RatePerSecond float64 `json:"rate_per_second"`
}

var (
	twilioAccount = regexp.MustCompile(`^[A-Za-z0-9_-]{2,64}$`)
	twilioService = regexp.MustCompile(`^MG[A-Za-z0-9_-]{1,64}$`)
	// A number or a short code, or a name with a letter in it ("Alphanumeric
	// Sender ID").
	twilioNumber = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|[0-9]{3,8})$`)
	twilioName   = regexp.MustCompile(`^[A-Za-z0-9 +_&-]{1,11}$`)
	letter       = regexp.MustCompile(`[A-Za-z]`)
)

// ParseSMS reads the secret efferent/twilio, as ParseEmail reads its own.
func ParseSMS(secret string) (SMSConfig, error) {
	var c SMSConfig
	if err := parseSecret(SMSSecret, secret, &c); err != nil {
		return SMSConfig{}, err
	}
	c = c.withDefaults()
	if field, problem := c.check(); problem != "" {
		return SMSConfig{}, secretError(SMSSecret, field, problem)
	}
	return c, nil
}

func (c SMSConfig) withDefaults() SMSConfig {
	c.MaxSegments = cmp.Or(c.MaxSegments, DefaultSegments)
	if !c.EndUserMessaging {
		c.BaseURL = baseURL(c.BaseURL, "https://api.twilio.com")
		c.CallbackURL = baseURL(c.CallbackURL, "")
	}
	return c
}

func (c SMSConfig) check() (field, problem string) {
	if c.MaxSegments < 1 {
		return "max_segments", "must be 1 or more"
	}
	if !goodRate(c.RatePerSecond) {
		return "rate_per_second", rateWanted
	}
	if c.EndUserMessaging {
		switch {
		case c.OriginationIdentity == "" || message.HasControl(c.OriginationIdentity):
			return "origination_identity", "must be a phone number, sender id or pool, by its id or ARN"
		case c.AccountSID != "" || c.AuthToken != "" || c.FromNumber != "" || c.MessagingServiceSID != "" || c.BaseURL != "" ||
			c.CallbackURL != "":
			return "end_user_messaging", "can't be true beside Twilio's fields"
		}
		return "", ""
	}
	switch {
	case c.OriginationIdentity != "":
		return "origination_identity", "is for end_user_messaging only"
	case !twilioAccount.MatchString(c.AccountSID) || strings.HasPrefix(c.AccountSID, "SK"): // an API key's
		return "account_sid", "must be the account's SID (AC…)"
	case c.AuthToken == "" || strings.ContainsFunc(c.AuthToken, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "auth_token", "must be the account's auth token"
	case (c.FromNumber == "") == (c.MessagingServiceSID == ""):
		return "from_number", "give this or messaging_service_sid, one of the two"
	case c.FromNumber != "" && !isTwilioFrom(c.FromNumber):
		return "from_number", "must be a phone number as in E.164, a short code or a sender id"
	case c.MessagingServiceSID != "" && !twilioService.MatchString(c.MessagingServiceSID):
		return "messaging_service_sid", "must be a messaging service's SID (MG…)"
	case !goodURL(c.BaseURL):
		return "base_url", urlWanted
	case c.CallbackURL != "" && !goodURL(c.CallbackURL):
		return "callback_url", urlWanted
	}
	return "", ""
}

func isTwilioFrom(s string) bool {
	return twilioNumber.MatchString(s) || twilioName.MatchString(s) && letter.MatchString(s)
}
