package api

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
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

// MaxBody is the most bytes of a request's body.
const MaxBody = 64 << 10

// How many items a page of a list has, where it is not said, and at most.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// asked refuses what no handler looks at: it would do something else than was
// meant. Repeated, empty, unknown and badly encoded parameters are such, since a
// filter that was mistyped must not mean everything; and ids that nothing can have,
// which would be searched for.
func asked(r *http.Request, parameters []string) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return BadRequest("the query is badly encoded")
	}
	if err := known(query, parameters); err != nil {
		return err
	}
	for _, name := range parameters {
		switch values := query[name]; {
		case len(values) > 1:
			return BadRequest("parameter %s: stands there %d times", name, len(values))
		case len(values) == 1 && values[0] == "" && name != "cursor": // an empty cursor begins
			return BadRequest("parameter %s: is empty; leave it out if it is not meant", name)
		}
	}
	for _, name := range []string{"webhook_id", "item_id", "task_id"} {
		if id := r.PathValue(name); id != "" && !message.ValidID(id) {
			return NotFound("%.80q is no %s: those are 1 to 128 of A-Z, a-z, 0-9, _ and -", id, strings.TrimSuffix(name, "_id")+"'s id")
		}
	}
	return nil
}

// straight reports whether a path has no segment that is empty or leads elsewhere: the
// mux would send clients there.
func straight(r *http.Request) bool {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for _, segment := range segments[1:] {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return segments[0] == ""
}

// plain refuses a path that is written otherwise than it needs be: who allows or denies
// by the path reads what we read. @ may be encoded, which many libraries do.
func plain(r *http.Request) error {
	for segment := range strings.SplitSeq(r.URL.EscapedPath(), "/") {
		if decoded, err := url.PathUnescape(segment); err != nil || strings.ReplaceAll(segment, "%40", "@") != decoded {
			return NotFound("there is no %s %.200q in this API: nothing in its paths needs to be encoded", r.Method, r.URL.EscapedPath())
		}
	}
	return nil
}

// known refuses a parameter that is none of them: a filter that was mistyped
// must not show everything.
func known(q url.Values, parameters []string) error {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(parameters, name) {
			return BadRequest("parameter %.40q: unknown%s", name, message.Suggestion(name, parameters))
		}
	}
	return nil
}

// Limit is how many items a list is to have, by the parameter limit.
func Limit(q url.Values) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return DefaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || !message.ValidID(text) || limit < 1 || limit > MaxLimit {
		return 0, BadRequest("parameter limit: %.40q is not a number from 1 to %d", text, MaxLimit)
	}
	return limit, nil
}

// Times are the parameters since and until, of which until is not within; zero where
// they are not given.
func Times(q url.Values) (since, until time.Time, err error) {
	for name, to := range map[string]*time.Time{"since": &since, "until": &until} {
		if text := q.Get(name); text != "" {
			if *to, err = time.Parse(time.RFC3339, text); err != nil {
				return since, until, BadRequest("parameter %s: %.40q is not a time such as 2026-11-24T08:00:00Z", name, text)
			}
		}
	}
	return since, until, CheckTimes(since, until)
}

// CheckTimes refuses bounds that nothing is between.
func CheckTimes(since, until time.Time) error {
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return BadRequest("since is not before until: no time is between them")
	}
	return nil
}

// checkType refuses a body that says it is something else than JSON. What curl
// says when it is told nothing passes.
func checkType(r *http.Request) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &Refusal{http.StatusUnsupportedMediaType, "the body is encoded; send it as it is"}
	}
	given := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(given)
	switch {
	case given == "", kind == "application/json", kind == "application/x-www-form-urlencoded":
		return nil
	case err == nil && strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
		return nil
	}
	return &Refusal{http.StatusUnsupportedMediaType, "the body must be application/json"}
}

// Body reads a body that may be anything of the JSON kind. hint is what to send
// instead of nothing.
func Body(r *http.Request, hint string) (jsontext.Value, error) {
	if err := checkType(r); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r.Body)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, &Refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", tooLong.Limit)}
	case err != nil:
		return nil, BadRequest("the body broke off")
	}
	if data = bytes.TrimSpace(data); len(data) == 0 {
		return nil, BadRequest("the body is empty: it must be a JSON object; %s", hint)
	}
	return data, nil
}

// Object reads a body, which must be an object of known fields, none of them
// empty, and says which it has. hint is what to send instead of nothing.
func Object(r *http.Request, into any, hint string) (has map[string]bool, err error) {
	data, err := Body(r, hint)
	if err != nil {
		return nil, err
	}
	return ObjectOf(data, "the body", into)
}

// ObjectOf reads an object as Object does; called is what an error calls it.
func ObjectOf(data jsontext.Value, called string, into any) (has map[string]bool, err error) {
	if data.Kind() == jsontext.KindNull { // which would be as good as {}
		return nil, BadRequest("%s is not a JSON object: it is null", called)
	}
	var given map[string]jsontext.Value
	if err := json.Unmarshal(data, &given); err != nil {
		return nil, BadRequest("%s is not a JSON object: %s", called, explainJSON(err))
	}
	has = map[string]bool{}
	for name, value := range given {
		// A filter that a script left empty must not mean everything.
		if text := string(value); text == `""` || text == "null" {
			return nil, BadRequest("field %q: is empty; leave it out if it is not meant", name)
		}
		has[name] = true
	}
	if err := json.Unmarshal(data, into, json.RejectUnknownMembers(true)); err != nil {
		return nil, BadRequest("%s can't be used: %s", called, explainJSON(err))
	}
	return has, nil
}

// OptionalObject reads a body as Object does, if there is one.
func OptionalObject(r *http.Request, into any, hint string) error {
	body := bufio.NewReader(r.Body)
	if _, err := body.Peek(1); errors.Is(err, io.EOF) {
		return nil
	}
	r.Body = io.NopCloser(body)
	_, err := Object(r, into, hint)
	return err
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
