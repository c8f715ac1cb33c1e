package sqsserver

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/go-json-experiment/json"
)

// maxAttributes is how many attributes a message may have ("Amazon SQS
// message metadata").
const maxAttributes = 10

var (
	// attributeName also has letters that "Amazon SQS message metadata" does
	// not list: AWS takes them (LocalStack's
	// test_send_message_with_invalid_string_attributes, recorded on AWS).
	attributeName = regexp.MustCompile(`^[\pL\pN_\-.]{1,256}$`)
	numberValue   = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)
)

// checkAttributes says what is wrong with a message's attributes and what
// they weigh: names, types and values count ("Amazon SQS message metadata").
func checkAttributes(set map[string]types.MessageAttributeValue) (size int, err error) {
	if len(set) > maxAttributes {
		return 0, invalidParameter("Number of message attributes [%d] exceeds the allowed maximum [%d].",
			len(set), maxAttributes)
	}
	for name, v := range set {
		if err := checkAttributeName(name); err != nil {
			return 0, err
		}
		if err := checkAttributeValue(name, v); err != nil {
			return 0, err
		}
		size += len(name) + len(aws.ToString(v.DataType)) + len(aws.ToString(v.StringValue)) + len(v.BinaryValue)
	}
	return size, nil
}

func checkAttributeName(name string) error {
	lower := strings.ToLower(name)
	switch {
	case !attributeName.MatchString(name):
		return invalidParameter("Message (user) attribute name '%s' is invalid: it must be 1 to 256 letters, digits, _, - and .", shorten(name))
	case strings.HasPrefix(lower, "aws."), strings.HasPrefix(lower, "amazon."):
		return invalidParameter("Message (user) attribute name '%s' starts with a reserved prefix.", shorten(name))
	case name[0] == '.', name[len(name)-1] == '.', strings.Contains(name, ".."):
		return invalidParameter("Message (user) attribute name '%s' may not start or end with a period, nor have two in a row.", shorten(name))
	}
	return nil
}

func checkAttributeValue(name string, v types.MessageAttributeValue) error {
	dataType := aws.ToString(v.DataType)
	kind, _, _ := strings.Cut(dataType, ".")
	switch {
	case dataType == "":
		return invalidParameter("The message attribute '%s' must contain a non-empty message attribute type.", name)
	case len(dataType) > 256:
		return invalidParameter("The type of message attribute '%s' is longer than 256 characters.", name)
	case len(v.StringListValues) > 0 || len(v.BinaryListValues) > 0:
		return unsupported("Message attribute lists in queue messages are not implemented, by AWS either ('%s').", name)
	}
	switch kind {
	case "String", "Number":
		value := aws.ToString(v.StringValue)
		switch {
		case value == "":
			return emptyAttribute(name, kind)
		case v.BinaryValue != nil:
			return invalidParameter("Message (user) attribute '%s' must contain one value only, of type '%s'.", name, kind)
		case !validCharacters(value):
			// The code: LocalStack's test_invalid_string_attributes_cause_invalid_parameter_value_error, recorded on AWS.
			return invalidParameter("Message (user) attribute '%s': %s", name, validUnicode)
		case kind == "Number" && !numberValue.MatchString(value):
			return invalidParameter("Can't cast the value of message (user) attribute '%s' to a number.", name)
		}
	case "Binary":
		switch {
		case len(v.BinaryValue) == 0:
			return emptyAttribute(name, kind)
		case v.StringValue != nil:
			return invalidParameter("Message (user) attribute '%s' must contain one value only, of type '%s'.", name, kind)
		}
	default:
		return invalidParameter("The message attribute '%s' has an invalid message attribute type, the set of supported "+
			"type prefixes is Binary, Number, and String.", name)
	}
	return nil
}

// emptyAttribute has AWS's text (recorded by LocalStack's snapshot of
// test_send_message_with_empty_string_attribute).
func emptyAttribute(name, kind string) error {
	return invalidParameter("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
}

// validCharacters: those of XML 1.0 ("SendMessage" in the API reference).
func validCharacters(s string) bool {
	ascii := true
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		} else if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	if ascii {
		return true
	}
	// U+FFFE and U+FFFF are the only others that valid UTF-8 can hold.
	return utf8.ValidString(s) && !strings.Contains(s, "\uFFFE") && !strings.Contains(s, "\uFFFF")
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes is the digest that SDKs check ("Amazon SQS message
// metadata", Calculating the MD5 message digest for message attributes).
func md5OfAttributes(set map[string]types.MessageAttributeValue) *string {
	if len(set) == 0 {
		return nil
	}
	var b []byte
	field := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		v := set[name]
		field(name)
		field(aws.ToString(v.DataType))
		if v.StringValue != nil {
			b = append(b, 1)
			field(*v.StringValue)
		} else {
			b = append(b, 2)
			field(string(v.BinaryValue))
		}
	}
	sum := md5.Sum(b)
	return aws.String(hex.EncodeToString(sum[:]))
}

// storedAttributes is how a store keeps what a message carries beside its body.
type storedAttributes struct {
	Attributes map[string]types.MessageAttributeValue
	Trace      string
}

// newContent is the content of a message that is sent. It shares nothing
// that its caller could change.
func newContent(body, trace string, set map[string]types.MessageAttributeValue, size int) *content {
	c := &content{body: body, md5: md5Hex(body), trace: trace, size: size}
	if len(set) > 0 {
		c.attributes = make(map[string]types.MessageAttributeValue, len(set))
	}
	for name, v := range set {
		v.BinaryValue = bytes.Clone(v.BinaryValue)
		c.attributes[name] = v
	}
	return c
}

func (c *content) stored() (Content, error) {
	if len(c.attributes) == 0 && c.trace == "" {
		return Content{Body: c.body}, nil
	}
	b, err := json.Marshal(storedAttributes{c.attributes, c.trace}, json.OmitZeroStructFields(true))
	return Content{Body: c.body, Attributes: b}, err
}

// loadContent is what stored gave, read back.
func loadContent(s Content) (*content, error) {
	c := &content{body: s.Body, md5: md5Hex(s.Body), size: len(s.Body) + len(s.Attributes)}
	if s.Attributes == nil {
		return c, nil
	}
	var a storedAttributes
	if err := json.Unmarshal(s.Attributes, &a); err != nil {
		return nil, err
	}
	c.attributes, c.trace = a.Attributes, a.Trace
	return c, nil
}
