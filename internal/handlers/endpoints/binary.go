package endpoints

import (
	"cmp"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/api"
)

// attributes is what the names of headers begin with that hold a CloudEvent's.
const attributes = "Ce-"

// structured is a published event as its data alone says it: a CloudEvent in binary mode,
// whose attributes are headers and whose data is the body, in the structured mode's JSON
// ("HTTP Protocol Binding for CloudEvents" 1.0.2, section 3.1); any other as it is. An
// attribute that stands there twice does so in the JSON too.
func structured(h http.Header, data jsontext.Value) (jsontext.Value, error) {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	if h.Get(attributes+"Specversion") == "" || strings.HasPrefix(kind, "application/cloudevents") {
		return data, nil
	}
	if !data.IsValid(jsontext.AllowDuplicateNames(true)) {
		return nil, api.BadRequest("the body is not valid JSON: by its headers it is the data of a CloudEvent")
	}
	b := append([]byte(`{"data":`), data...)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		attribute, is := strings.CutPrefix(name, attributes)
		for _, value := range h[name] {
			if !is {
				break
			}
			plain, _ := url.PathUnescape(value) // empty where it is badly escaped
			b, _ = jsontext.AppendQuote(append(b, ','), strings.ToLower(attribute))
			b, _ = jsontext.AppendQuote(append(b, ':'), cmp.Or(plain, value))
		}
	}
	return append(b, '}'), nil
}
