package twilio

import "github.com/efferent/efferent/internal/channel"

// errorClasses is the class of each error of creating a message whose status
// does not say it ("Error and Warning Dictionary"). The others are permanent.
// A request that was answered 429 was never processed (20429).
var errorClasses = map[int]channel.Class{
	20429: channel.Limited,   // too many requests
	21611: channel.Limited,   // the sender's queue is full: nothing was created
	21730: channel.Transient, // maintenance
	30022: channel.Limited,   // too many for the carrier (A2P 10DLC)
	30001: channel.Limited,   // the sender's queue is full, of a message created as failed

	21610: channel.OptedOut, // the recipient answered STOP

	20003: channel.Configuration, // authentication
	20005: channel.Configuration, // account not active
	20006: channel.Configuration, // access denied
	20404: channel.Configuration, // no such account
	20008: channel.Configuration, // test credentials
	21212: channel.Configuration, // From: not a number
	21408: channel.Configuration, // the country is not enabled for the account
	21601: channel.Configuration, // From: can't send SMS
	21603: channel.Configuration, // From: missing
	21606: channel.Configuration, // From: can't send SMS, or not to there
	21608: channel.Configuration, // a trial account sends to verified numbers only
	21659: channel.Configuration, // From: not a Twilio number
	21660: channel.Configuration, // From: another account's
	21661: channel.Configuration, // From: can't send SMS
	21701: channel.Configuration, // no such messaging service
	21703: channel.Configuration, // a messaging service without numbers
	21704: channel.Configuration, // the same
	21705: channel.Configuration, // a messaging service that is not one
	30002: channel.Configuration, // account suspended
	30032: channel.Configuration, // toll-free number not verified
	30024: channel.Configuration, // number not provisioned at the carrier
	30033: channel.Configuration, // campaign suspended (A2P 10DLC)
	30035: channel.Configuration, // number not ready (A2P 10DLC)
	30037: channel.Configuration, // sending disabled for the account
	30034: channel.Configuration, // number not registered (A2P 10DLC)

	21211: channel.Permanent, // To: not a number
	21217: channel.Permanent, // To: not a number
	21265: channel.Permanent, // To: a short code
	21266: channel.Permanent, // To is From
	21602: channel.Permanent, // no text
	21612: channel.Permanent, // To can't be reached from From
	21614: channel.Permanent, // To: not a mobile number
	21617: channel.Permanent, // text too long
	21635: channel.Permanent, // To: a landline
	21658: channel.Permanent, // a parameter is too long
	30003: channel.Permanent, // unreachable
	30004: channel.Permanent, // blocked
	30005: channel.Permanent, // unknown
	30006: channel.Permanent, // landline
	30007: channel.Permanent, // filtered by the carrier
}
