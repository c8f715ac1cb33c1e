package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// maxBody is the most bytes of a request's body.
const maxBody = 64 << 10

// everything reports whether f leaves nothing out.
func (f Filter) everything() bool { return f == Filter{} }

// contents reports whether f takes a message by what its body says.
func (f Filter) contents(i Item) bool {
	return (f.Tenant == "" || f.Tenant == i.Tenant) &&
		(f.EventType == "" || f.EventType == i.EventType) &&
		(f.Channel == "" || f.Channel == i.Channel) &&
		strings.HasPrefix(i.URL, f.URLPrefix)
}

// failure reports whether f takes a message by its last attempt.
func (f Filter) failure(i Item) bool {
	return strings.Contains(strings.ToLower(i.Reason), strings.ToLower(f.Reason)) &&
		(f.Since.IsZero() || !i.LastAt.Before(f.Since)) &&
		(f.Until.IsZero() || i.LastAt.Before(f.Until))
}

func (f Filter) takes(i Item) bool { return f.contents(i) && f.failure(i) }

func (f Filter) check() error {
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return badRequest("since is not before until: no time is between them")
	}
	return nil
}

// listParameters are those that a listing knows.
var listParameters = []string{"queue", "limit", "cursor", "source", "tenant", "event_type", "channel", "url_prefix", "reason",
	"since", "until"}

// known refuses a parameter that is none of them: a filter that was mistyped
// must not show everything.
func known(q url.Values, parameters []string) error {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(parameters, name) {
			return badRequest("parameter %.40q: unknown%s", name, message.Suggestion(name, parameters))
		}
	}
	return nil
}

// limitOf is how many items a list is to have.
func limitOf(q url.Values) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || !message.ValidID(text) || limit < 1 || limit > maxLimit {
		return 0, badRequest("parameter limit: %.40q is not a number from 1 to %d", text, maxLimit)
	}
	return limit, nil
}

// filterOf reads a filter from a query.
func filterOf(q url.Values) (f Filter, err error) {
	f.Tenant, f.EventType, f.Channel = q.Get("tenant"), q.Get("event_type"), q.Get("channel")
	f.URLPrefix, f.Reason = q.Get("url_prefix"), q.Get("reason")
	for name, to := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		if text := q.Get(name); text != "" {
			if *to, err = time.Parse(time.RFC3339, text); err != nil {
				return f, badRequest("parameter %s: %.40q is not a time such as 2026-11-24T08:00:00Z", name, text)
			}
		}
	}
	return f, f.check()
}

// readSome reads what is to be replayed. It must be an object: an empty body
// may be a slip, and {} replays everything.
func readSome(r *http.Request) (s Some, err error) {
	given, err := readObject(r, &s, "{} replays everything")
	if err != nil {
		return s, err
	}
	if given["rate"] && s.Rate == 0 {
		return s, badRequest(wrongRate)
	}
	return s, s.check()
}

// readObject reads a body, which must be an object of known fields, none of them
// empty, and says which it has. hint is what to send instead of nothing.
func readObject(r *http.Request, into any, hint string) (has map[string]bool, err error) {
	if err := checkType(r); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r.Body)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", tooLong.Limit)}
	case err != nil:
		return nil, badRequest("the body broke off")
	case len(bytes.TrimSpace(data)) == 0:
		return nil, badRequest("the body is empty: it must be a JSON object; %s", hint)
	}
	if kind := jsontext.Value(bytes.TrimSpace(data)).Kind(); kind == jsontext.KindNull { // which would be as good as {}
		return nil, badRequest("the body is not a JSON object: it is null")
	}
	var given map[string]jsontext.Value
	if err := json.Unmarshal(data, &given); err != nil {
		return nil, badRequest("the body is not a JSON object: %s", explainJSON(err))
	}
	has = map[string]bool{}
	for name, value := range given {
		// A filter that a script left empty must not mean everything.
		if text := string(value); text == `""` || text == "null" {
			return nil, badRequest("field %q: is empty; leave it out if it is not meant", name)
		}
		has[name] = true
	}
	if err := json.Unmarshal(data, into, json.RejectUnknownMembers(true)); err != nil {
		return nil, badRequest("the body can't be used: %s", explainJSON(err))
	}
	return has, nil
}

const wrongRate = "field \"rate\": must be 1 to 500 messages a second"

func (s Some) check() error {
	if s.Rate != 0 && !s.everything() {
		return badRequest("field \"rate\": is for replaying everything only")
	}
	if s.Rate < 0 || s.Rate > 500 {
		return badRequest(wrongRate)
	}
	return s.Filter.check()
}

// explainJSON says what is wrong without the names of our types.
func explainJSON(err error) string {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntactic):
		return fmt.Sprintf("%v at byte %d", syntactic.Err, syntactic.ByteOffset)
	case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
		return fmt.Sprintf("field %q: unknown", semantic.JSONPointer.LastToken())
	case errors.As(err, &semantic) && semantic.JSONPointer == "":
		return "it is " + message.KindName(semantic.JSONKind)
	case errors.As(err, &semantic):
		return fmt.Sprintf("field %q: wrong type or form", semantic.JSONPointer.LastToken())
	}
	return "it is not JSON"
}
