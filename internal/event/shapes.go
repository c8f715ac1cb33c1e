package event

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// shape is how an event may be written down.
type shape struct {
	// marks are the keys that only this shape has.
	marks []string
	// read takes the event out of it. whole says that all of its keys are known.
	read func(p *parsing, whole bool)
}

// own is Efferent's own shape; others are looked for before.
var (
	own    = shape{read: readOwn}
	others = []shape{
		{[]string{"specversion"}, readCloudEvent},
		{[]string{"detail-type", "detail"}, readEventBridge},
	}
	fields   = []string{"id", "tenant", "event_type", "body"}
	required = []string{"tenant", "event_type", "body"}
)

func (p *parsing) shape() shape {
	for _, s := range others {
		if !slices.ContainsFunc(s.marks, func(name string) bool { return p.get(name) == nil }) {
			p.Required = nil // it is in no envelope but this one
			return s
		}
	}
	return own
}

func readOwn(p *parsing, whole bool) {
	p.known(func(name string) bool { return slices.Contains(fields, name) }, fields)
	if id := p.get("id"); id != nil {
		p.e.ID = p.text("id", id, message.CheckID)
	}
	p.e.Tenant = p.need("tenant", whole, message.CheckOwner)
	p.e.Type = p.need("event_type", whole, message.CheckEventType)
	p.body("body", whole)
}

// eventBridge are the keys of an event of EventBridge ("AWS service event metadata").
var eventBridge = []string{"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"}

// readEventBridge takes the detail for the body. Whose event it is is told by the
// detail too, since EventBridge has no place for that.
func readEventBridge(p *parsing, whole bool) {
	p.known(func(name string) bool { return slices.Contains(eventBridge, name) }, eventBridge)
	if id := p.get("id"); id != nil {
		p.e.ID = p.text("id", id, message.CheckID)
	}
	p.e.Type = p.need("detail-type", whole, message.CheckEventType)
	p.body("detail", whole)
	tenant, problem := tenantOf(p.e.Body)
	if problem != "" {
		p.Fail("detail", problem)
		return
	}
	p.e.Tenant = p.text("detail.tenant", tenant, message.CheckOwner)
}

// tenantOf is the value of the key tenant in an EventBridge event's detail.
func tenantOf(detail jsontext.Value) (tenant jsontext.Value, problem string) {
	const must = `must have the tenant, as in "detail": {"tenant": "acme", …}`
	if detail.Kind() != jsontext.KindBeginObject {
		return nil, "must be an object; it " + must
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(detail), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if _, err := d.ReadToken(); err != nil {
		return nil, must
	}
	for d.PeekKind() == jsontext.KindString {
		name, err := d.ReadToken()
		if err != nil {
			return nil, must
		}
		is := name.String() == "tenant" // before the next read, which ends name's life
		value, err := d.ReadValue()
		if err != nil {
			return nil, must
		}
		if is && tenant != nil {
			return nil, "has the tenant twice"
		}
		if is {
			tenant = value.Clone()
		}
	}
	if tenant == nil {
		return nil, must
	}
	return tenant, ""
}

// cloudEvent are the keys of CloudEvents 1.0.2 that it defines itself (JSON format);
// others are extensions.
var cloudEvent = []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"}

// readCloudEvent takes the data for the body. Whose event it is is told by the
// extension tenant, or else by the subject.
func readCloudEvent(p *parsing, whole bool) {
	p.known(isCloudEvent, cloudEvent)
	p.need("specversion", whole, func(s string) string {
		if s != "1.0" {
			return `must be "1.0"`
		}
		return ""
	})
	source := p.need("source", whole, notEmpty)
	p.e.ID = cloudEventID(source, p.need("id", whole, notEmpty))
	p.e.Type = p.need("type", whole, message.CheckEventType)
	if p.get("data_base64") != nil {
		p.Fail("data_base64", "can't be sent: an event's data must be JSON, as data")
	}
	if t := p.get("datacontenttype"); t != nil {
		p.text("datacontenttype", t, checkJSONType)
	}
	p.body("data", whole)
	switch tenant, subject := p.get("tenant"), p.get("subject"); {
	case tenant != nil:
		p.e.Tenant = p.text("tenant", tenant, message.CheckOwner)
	case subject != nil:
		p.e.Tenant = p.text("subject", subject, func(s string) string {
			if problem := message.CheckOwner(s); problem != "" {
				return "names the tenant where no extension tenant does, so it " + problem
			}
			return ""
		})
	case whole:
		p.Fail("tenant", "missing: a CloudEvent's tenant is its extension tenant, or its subject")
	}
}

// isCloudEvent: the names of extensions are of lower case letters and digits
// (CloudEvents 1.0.2, "Naming conventions").
func isCloudEvent(name string) bool {
	return slices.Contains(cloudEvent, name) || name != "" && message.OnlyOf(name, "") && strings.ToLower(name) == name
}

// cloudEventID is the id of a CloudEvent as far as it can be one here. It is unique
// with its source only.
func cloudEventID(source, id string) string {
	if id == "" || message.ValidID(id) {
		return id
	}
	return fmt.Sprintf("ce_%x", sha256.Sum256([]byte(source+"\x00"+id)))[:35]
}

func notEmpty(s string) string {
	if s == "" {
		return "must not be empty"
	}
	return ""
}

// checkJSONType: data of another type is text, or would have to be.
func checkJSONType(s string) string {
	t, _, err := mime.ParseMediaType(s)
	if err != nil || t != "application/json" && t != "text/json" && !strings.HasSuffix(t, "+json") {
		return "must be JSON's, such as application/json: an event's data is sent as JSON"
	}
	return ""
}
