package awsquery_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/efferent/efferent/internal/localaws/awsquery"
	"github.com/efferent/efferent/internal/localaws/bodies"
)

// input and output have what the SDK's structs have, and what extends them.
type input struct {
	*Base
	Number  *int32
	Names   []kind
	Actions []string
	Entries []struct {
		Entry
		Number *int32
	}
	Attributes map[string]string
	Values     map[string]Value
	Tags       map[string]string
}

type Base struct {
	QueueUrl *string
	Number   int32
}

type kind string

type Entry struct {
	Id     *string
	Number int32
	Values map[string]Value
}

type Value struct {
	Text *string
	Blob []byte
	List [][]byte
}

type output struct {
	Text, None     *string
	Long           int64
	True           bool
	Entries        []Entry
	QueueUrls      []string
	Attributes     map[string]string
	Tags           map[string]string
	ResultMetadata middleware.Metadata
}

func newService(run awsquery.Operation) *awsquery.Service {
	return &awsquery.Service{
		Namespace: "urn:x", PathParameter: "QueueUrl", MaxRequest: 1 << 20, Bodies: bodies.NewRoom(),
		Operations: map[string]awsquery.Operation{"Do": run},
		Fail: func(err error) (int, smithy.APIError) {
			var api smithy.APIError
			if !errors.As(err, &api) {
				api = &smithy.GenericAPIError{Code: "Ours", Message: err.Error(), Fault: smithy.FaultServer}
				return http.StatusInternalServerError, api
			}
			return http.StatusBadRequest, api
		},
	}
}

// echo answers with its input as JSON.
func echo(_ *http.Request, decode func(any) error) (any, error) {
	in := &input{}
	if err := decode(in); err != nil {
		return nil, err
	}
	text, err := json.Marshal(in)
	out := string(text)
	return &output{Text: &out}, err
}

// answer is what all answers can hold.
type answer struct {
	XMLName xml.Name
	Text    string `xml:"DoResult>Text"`
	Code    string `xml:"Error>Code"`
	Message string `xml:"Error>Message"`
	Type    string `xml:"Error>Type"`
	ID      string `xml:"RequestId"`
	OkID    string `xml:"ResponseMetadata>RequestId"`
}

func ask(t *testing.T, s *awsquery.Service, r *http.Request) (int, answer) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var a answer
	if err := xml.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if id := w.Header().Get("x-amzn-RequestId"); id == "" || a.ID+a.OkID != id || w.Header().Get("Content-Type") != "text/xml" ||
		a.XMLName.Space != "urn:x" {
		t.Errorf("answer %+v, header %v", a, w.Header())
	}
	return w.Code, a
}

func TestParameters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ form, want string }{
		"nothing":                         {"", `{}`},
		"unknown names":                   {"A=1&QueueUrl.x=1&Names.x=1&Name.x=1&Name.-1=1&Entry.x.Id=1&..=1&=1&.=2", `{}`},
		"text":                            {"QueueUrl=a%20b+c%26%C3%A9%0D%0A", `{"QueueUrl":"a b c\u0026é\r\n"}`},
		"empty text is not none":          {"QueueUrl=", `{"QueueUrl":""}`},
		"the first of two":                {"QueueUrl=a&QueueUrl=b", `{"QueueUrl":"a"}`},
		"a number of its own":             {"Number=-2147483648", `{"Number":-2147483648}`},
		"zero is not none":                {"Number=0", `{"Number":0}`},
		"a list, in the order of indices": {"Name.10=c&Name.2=b&Name.01=a", `{"Names":["a","b","c"]}`},
		"huge indices":                    {"Name.18446744073709551615=b&Name.1000000000=a", `{"Names":["a","b"]}`},
		"an index beyond":                 {"Name.18446744073709551616=a", `{}`},
		"one without an index":            {"Name=a", `{"Names":["a"]}`},
		"actions, a name of their own":    {"ActionName.1=a", `{"Actions":["a"]}`},
		"an empty list":                   {"Name=&Entry=&Attribute=", `{}`},
		"structs": {"Entry.2.Number=0&Entry.2.Id=b&Entry.7.Id=c&Entry.7.Value.1.Name=n&Entry.7.Value.1.Value.Blob=AP8%3D&Entry.7.X=1",
			`{"Entries":[{"Id":"b","Number":0},{"Id":"c","Values":{"n":{"Blob":"AP8="}}}]}`},
		"a map": {"Attribute.1.Name=a&Attribute.1.Value=&Attribute.3.Value=y&Attribute.3.Name=x",
			`{"Attributes":{"a":"","x":"y"}}`},
		"an entry, no index": {"Attribute.Name=a&Attribute.Value=1", `{"Attributes":{"a":"1"}}`},
		"tags":               {"Tag.1.Key=a&Tag.1.Value=b", `{"Tags":{"a":"b"}}`},
		"structs in a map": {"Value.1.Name=a&Value.1.Value.Text=x&Value.2.Name=b&Value.2.Value.List.2=Yg%3D%3D&Value.2.Value.List.1=",
			`{"Values":{"a":{"Text":"x"},"b":{"List":["","Yg=="]}}}`},
		"names too deep to be": {"A.1.1.1.1.1.1.1.1.1.1.1.1=1" + strings.Repeat(".1", 10000), `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []*http.Request{
				httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=Do&Version=2012-11-05&"+c.form)),
				httptest.NewRequest(http.MethodGet, "/?Action=Do&"+c.form, nil),
			} {
				status, a := ask(t, newService(echo), r)
				if status != http.StatusOK {
					t.Fatalf("status %d, %+v", status, a)
				}
				if got := clean(t, a.Text); got != c.want {
					t.Errorf("%s: got %s\nwant %s", r.Method, got, c.want)
				}
			}
		})
	}
}

// clean leaves out what is null: all that was not given is a pointer here, but
// for the numbers of Base and Entry, which others go before.
func clean(t *testing.T, text string) string {
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	dropNulls(v)
	b, _ := json.Marshal(v)
	return string(b)
}

func dropNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if dropNulls(x); x == nil {
				delete(v, k)
			}
		}
	case []any:
		for _, x := range v {
			dropNulls(x)
		}
	}
}

func TestParametersThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ form, code, names string }{
		"no number":          {"Number=x", "InvalidParameterValue", "Number"},
		"an empty number":    {"Number=", "InvalidParameterValue", "Number"},
		"a number too big":   {"Entry.3.Number=2147483648", "InvalidParameterValue", "Entry.3.Number"},
		"no base64":          {"Value.1.Name=a&Value.1.Value.Blob=%25", "InvalidParameterValue", "Value.1.Value.Blob"},
		"no UTF-8":           {"QueueUrl=%FF", "InvalidParameterValue", "QueueUrl"},
		"a name of no UTF-8": {"Attribute.1.Name=%FF&Attribute.1.Value=x", "InvalidParameterValue", "Attribute.1.Name"},
		"a name twice": {"Attribute.1.Name=a&Attribute.1.Value=x&Attribute.2.Name=a&Attribute.2.Value=x", "InvalidParameterValue",
			"Attribute.2.Name"},
		"an entry, no name":   {"Attribute.1.Value=a", "MissingParameter", "Attribute.1.Name"},
		"an entry, no value":  {"Tag.1.Key=a", "MissingParameter", "Tag.1.Value"},
		"no escape":           {"QueueUrl=%zz", "MalformedQueryString", ""},
		"too many":            {strings.Repeat("Name.1=&", 10_001), "MalformedQueryString", ""},
		"an unknown action":   {"Action=Nope", "InvalidAction", "Nope"},
		"an action too often": {"Action=", "MissingAction", "Action"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := c.form
			if !strings.HasPrefix(form, "Action=") {
				form += "&Action=Do"
			}
			status, a := ask(t, newService(echo), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form)))
			if status != http.StatusBadRequest || a.Code != c.code || a.Type != "Sender" || !strings.Contains(a.Message, " "+c.names) {
				t.Errorf("status %d, %+v", status, a)
			}
		})
	}
}

func TestWhereParametersComeFrom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ method, target, body, want string }{
		"the path":                 {"POST", "/0/q", "Action=Do", `{"QueueUrl":"/0/q"}`},
		"the path with a slash":    {"GET", "/0/q/?Action=Do", "", `{"QueueUrl":"/0/q"}`},
		"the parameter first":      {"POST", "/0/q", "Action=Do&QueueUrl=p", `{"QueueUrl":"p"}`},
		"the query and the body":   {"POST", "/?Action=Do&QueueUrl=a", "Number=1", `{"Number":1,"QueueUrl":"a"}`},
		"the body over the query":  {"POST", "/?Action=No&Number=1", "Number=2&Action=Do", `{"Number":2}`},
		"a GET has no body to ask": {"GET", "/?Action=Do", "Number=2", `{}`},
	} {
		_, a := ask(t, newService(echo), httptest.NewRequest(c.method, c.target, strings.NewReader(c.body)))
		if got := clean(t, a.Text); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if _, a := ask(t, newService(echo), httptest.NewRequest(http.MethodPut, "/?Action=Do", nil)); a.Code != "InvalidHttpRequest" {
		t.Errorf("PUT: %+v", a)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	text := "<a>&\"'\r\n\té\U0001F600]]>\x01\uFFFF"
	for name, c := range map[string]struct {
		out    any
		err    error
		status int
		want   string // after the XML declaration, "ID" for the request's
	}{
		"everything": {&output{
			Text: &text, Long: 0, True: true,
			Entries:   []Entry{{Id: new(string), Values: map[string]Value{"v": {Blob: []byte{0, 255}, List: [][]byte{{}}}}}, {}},
			QueueUrls: []string{"b", "a"}, Attributes: map[string]string{"z": "1", "y": ""}, Tags: map[string]string{"k": "v"},
		}, nil, 200, `<DoResponse xmlns="urn:x"><DoResult>` +
			"<Text>&lt;a&gt;&amp;&#34;&#39;&#xD;&#xA;&#x9;é\U0001F600]]&gt;\uFFFD\uFFFD</Text><Long>0</Long><True>true</True>" +
			`<Entry><Id></Id><Number>0</Number><Value><Name>v</Name><Value><Blob>AP8=</Blob><List></List></Value></Value></Entry>` +
			`<Entry><Number>0</Number></Entry><QueueUrl>b</QueueUrl><QueueUrl>a</QueueUrl>` +
			`<Attribute><Name>y</Name><Value></Value></Attribute><Attribute><Name>z</Name><Value>1</Value></Attribute>` +
			`<Tag><Key>k</Key><Value>v</Value></Tag></DoResult>` +
			`<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></DoResponse>`},
		"nothing to say": {&struct{ ResultMetadata middleware.Metadata }{}, nil, 200,
			`<DoResponse xmlns="urn:x"><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></DoResponse>`},
		"an error": {nil, &smithy.GenericAPIError{Code: "A.B", Message: "<x>", Fault: smithy.FaultClient}, 400,
			`<ErrorResponse xmlns="urn:x"><Error><Type>Sender</Type><Code>A.B</Code><Message>&lt;x&gt;</Message>` +
				`<Detail/></Error><RequestId>ID</RequestId></ErrorResponse>`},
		"an error of ours": {nil, errors.New("x"), 500,
			`<ErrorResponse xmlns="urn:x"><Error><Type>Receiver</Type><Code>Ours</Code><Message>x</Message>` +
				`<Detail/></Error><RequestId>ID</RequestId></ErrorResponse>`},
	} {
		s := newService(func(*http.Request, func(any) error) (any, error) { return c.out, c.err })
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=Do")))
		got := strings.ReplaceAll(strings.TrimPrefix(w.Body.String(), xml.Header), w.Header().Get("x-amzn-RequestId"), "ID")
		if got != c.want || w.Code != c.status {
			t.Errorf("%s: got %d %s\nwant %s", name, w.Code, got, c.want)
		}
	}
}

// endless is a body without an end; it fails the test when it is read beyond
// what is allowed.
type endless struct {
	t    *testing.T
	left int
}

func (e *endless) Read(b []byte) (int, error) {
	if e.left -= len(b); e.left < 0 {
		e.t.Error("it was read on")
		return 0, io.EOF
	}
	return copy(b, strings.Repeat("x", len(b))), nil
}

func TestALongRequestIsRefused(t *testing.T) {
	t.Parallel()
	for length, most := range map[int64]int{1<<20 + 1: 0, -1: 3 << 20} {
		r := httptest.NewRequest(http.MethodPost, "/", &endless{t, most})
		r.ContentLength = length
		if _, a := ask(t, newService(echo), r); a.Code != "RequestEntityTooLarge" {
			t.Errorf("length %d: %+v", length, a)
		}
	}
}

func TestABodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("Action=Do"), broken{}))
	if _, a := ask(t, newService(echo), r); a.Code != "MalformedQueryString" {
		t.Errorf("%+v", a)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestATypeThatTheProtocolHasNot(t *testing.T) {
	t.Parallel()
	s := newService(func(_ *http.Request, decode func(any) error) (any, error) {
		return nil, decode(&struct{ Number float64 }{})
	})
	if _, a := ask(t, s, httptest.NewRequest(http.MethodGet, "/?Action=Do&Number=1", nil)); a.Code != "Ours" ||
		!strings.Contains(a.Message, "Number") {
		t.Errorf("%+v", a)
	}
}

// FuzzForm: no form panics, what is decoded is no more than what was sent,
// and every answer is XML.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"Entry.1000000000.Value.999999999.Name=a&Entry.1000000000.Value.999999999.Value.List.99999999=AA==",
		"Attribute.Name=a&Attribute.Value=b&Attribute.1=c&Name=&Name.1.1=x", "Number=%2B1&Tag.1.Key=\xff", "QueueUrl=%0D%00%EF%BF%BF&&;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, form string) {
		s := newService(func(_ *http.Request, decode func(any) error) (any, error) {
			in := &input{}
			if err := decode(in); err != nil {
				return nil, err
			}
			n := len(in.Names) + len(in.Entries) + len(in.Attributes) + len(in.Values) + len(in.Tags)
			if sent := strings.Count(form, "&") + 1; n > sent {
				t.Fatalf("%d elements of %d parameters", n, sent)
			}
			return &struct {
				Tags, Attributes map[string]string
				Values           map[string]Value
				Names            []kind
			}{in.Tags, in.Attributes, in.Values, in.Names}, nil
		})
		if status, a := ask(t, s, httptest.NewRequest(http.MethodPost, "/",
			strings.NewReader("Action=Do&"+form))); status == http.StatusInternalServerError {
			t.Fatal(fmt.Sprint(a))
		}
	})
}
