package channel

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

const (
	maxAttachments = 20
	maxFileName    = 255 // bytes: SES's longest
	// MaxFiles is how many bytes the attachments of one notification may have that
	// are read from S3: with base64 less than what mail servers commonly take.
	MaxFiles       = 10 << 20
	badAttachments = `must be an array of up to 20 objects of "name", "type", "content" or "s3", and "content_id", ` +
		"all of them strings that are not empty"
)

// attachments are read strictly, as the message is.
type attachments []Attachment

func (a *attachments) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var read []map[string]*string
	if err := json.UnmarshalDecode(d, &read); err != nil {
		return err
	}
	if len(read) > maxAttachments {
		return errors.New("too many")
	}
	*a = nil
	for i, members := range read {
		one, problem := attachmentOf(members)
		if problem != "" {
			return problemError(fmt.Sprintf("[%d] %s", i, problem))
		}
		*a = append(*a, one)
	}
	return nil
}

// attachmentOf is an attachment as a producer writes it. What is there, but empty,
// is no default: content then, and what is no base64, is empty and not nil.
func attachmentOf(members map[string]*string) (a Attachment, problem string) {
	if members == nil {
		return a, "must be an object, not null"
	}
	for name, text := range members {
		switch {
		case !slices.Contains(attachmentKeys, name):
			return a, "has a key that is none of " + strings.Join(attachmentKeys, ", ") + ": " + strconv.Quote(message.Shorten(name, 64))
		case text == nil, *text == "" && name != "content":
			return a, "must not have " + name + " null or empty"
		case name == "content":
			content, err := base64.StdEncoding.DecodeString(*text)
			if err != nil {
				content = nil
			}
			a.Content = append([]byte{}, content...)
		case name == "name":
			a.Name = *text
		case name == "type":
			a.Type = *text
		case name == "s3":
			a.S3 = *text
		default:
			a.ContentID = *text
		}
	}
	if a.Name == "" && a.S3 != "" {
		a.Name = message.Shorten(strings.ReplaceAll(path.Base(a.S3), `\`, "_"), maxFileName)
	}
	return a, ""
}

var attachmentKeys = []string{"name", "type", "content", "s3", "content_id"}

var (
	// "General purpose bucket naming rules"; a key has 1024 bytes at most.
	s3Object  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?s:.+)$`)
	contentID = regexp.MustCompile(`^[A-Za-z0-9_.@+-]{1,128}$`)
	mediaType = regexp.MustCompile("^[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}(?:;.*)?$")
)

func checkAttachments(n *Notification) string {
	cids := map[string]bool{}
	for i, a := range n.Attachments {
		problem := a.check()
		if problem == "" && a.ContentID != "" && cids[a.ContentID] {
			problem = "has the content_id of another"
		}
		if problem != "" {
			return fmt.Sprintf("[%d] %s", i, problem)
		}
		cids[a.ContentID] = true
	}
	return ""
}

func (a Attachment) check() string {
	switch {
	case (a.Content == nil) == (a.S3 == ""):
		return "must have content or s3, one of the two"
	case len(a.S3) > 63+1+1024, a.S3 != "" && (!s3Object.MatchString(a.S3) || message.HasControl(a.S3)):
		return `must have a bucket and a key as s3: "bucket/key", of at most 1088 bytes`
	case a.Content != nil && len(a.Content) == 0:
		return "must have a content that is base64, and not empty"
	case a.Name == "":
		return "must have a name"
	case len(a.Name) > maxFileName || message.HasControl(a.Name) || strings.ContainsAny(a.Name, `/\`):
		return "must have a name of at most 255 bytes, without slashes or control characters"
	case a.Type != "" && !isMediaType(a.Type):
		return "must have a media type as type, such as application/pdf, and none of multipart or message"
	case a.ContentID != "" && !contentID.MatchString(a.ContentID):
		return "must have a content_id of 1 to 128 of A-Z, a-z, 0-9, _, ., @, + and -"
	}
	return ""
}

// isMediaType reports whether s may stand in a header as it is, which is ASCII (RFC 2045, section 5.1).
func isMediaType(s string) bool {
	if len(s) > 200 || !mediaType.MatchString(s) || message.HasControl(s) || !message.OnlyASCII(s) {
		return false
	}
	kind, _, err := mime.ParseMediaType(s)
	return err == nil && !strings.HasPrefix(kind, "multipart/") && !strings.HasPrefix(kind, "message/")
}

// MediaType is a's, by its name where it has none.
func (a Attachment) MediaType() string {
	if a.Type != "" {
		return a.Type
	}
	if known, ok := mediaTypes[strings.ToLower(path.Ext(a.Name))]; ok {
		return known
	}
	return "application/octet-stream"
}

// mediaTypes are those that businesses send. Package mime would add what the
// machine knows.
var mediaTypes = map[string]string{
	".pdf": "application/pdf", ".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8",
	".html": "text/html; charset=utf-8", ".ics": "text/calendar; charset=utf-8", ".vcf": "text/vcard; charset=utf-8",
	".json": "application/json", ".xml": "application/xml", ".zip": "application/zip", ".gz": "application/gzip",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".svg": "image/svg+xml",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}

// ErrNoFile says that there is nothing at a place that may be attached.
var ErrNoFile = errors.New("can't be attached")
