package event

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/message"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data string
		want Event
	}{
		"the least": {`{"tenant":"acme","event_type":"invoice.paid","body":null}`, Event{"", "acme", "invoice.paid", []byte("null")}},
		"the body byte for byte": {`{ "body" : {"a": 1.0,"a":2} , "id":"evt_1","event_type":"a","tenant":"a\u0063me" }`,
			Event{"evt_1", "acme", "a", []byte(`{"a": 1.0,"a":2}`)}},
		"CloudEvents": {`{"specversion":"1.0","id":"A234-1","source":"/billing","type":"com.acme.invoice.paid","subject":"inv_1","tenant":"acme",
			"time":"2026-01-01T00:00:00Z","datacontenttype":"application/json; charset=utf-8","data":{"a":1}}`,
			Event{"A234-1", "acme", "com.acme.invoice.paid", []byte(`{"a":1}`)}},
		"a CloudEvent's subject": {`{"specversion":"1.0","id":"1","source":"s","type":"a","subject":"acme","data":[]}`,
			Event{"1", "acme", "a", []byte("[]")}},
		"a CloudEvent of JSON's kinds": {`{"specversion":"1.0","id":"1","source":"s","type":"a","tenant":"acme","data":1,
			"datacontenttype":"application/problem+json","ext1":"x"}`, Event{"1", "acme", "a", []byte("1")}},
		"a CloudEvent of text": {`{"specversion":"1.0","id":"1","source":"s","type":"a","tenant":"acme","data":1,
			"datacontenttype":"text/json"}`, Event{"1", "acme", "a", []byte("1")}},
		"EventBridge without an id": {`{"detail-type":"a","source":"shop","detail":{"tenant":"acme"}}`,
			Event{"", "acme", "a", []byte(`{"tenant":"acme"}`)}},
		"a CloudEvent's id that is none here": {`{"specversion":"1.0","id":"a/b","source":"s","type":"a","tenant":"acme","data":1}`,
			Event{"ce_fb3c0e4c2db48786ad07a9c7bee47634", "acme", "a", []byte("1")}},
		"EventBridge": {`{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"Order Placed","source":"shop","account":"1",
			"time":"2026-01-01T00:00:00Z","region":"eu-north-1","resources":[],"detail":{"a": {"tenant":"b"}, "tenant":"acme"}}`,
			Event{"6a7e8feb-b491-4cf7-a9f1-bf3703467718", "acme", "Order Placed", []byte(`{"a": {"tenant":"b"}, "tenant":"acme"}`)}},
		"a body that looks like another shape": {`{"tenant":"acme","event_type":"a","body":{"specversion":"1.0","detail":1,"detail-type":"b"}}`,
			Event{"", "acme", "a", []byte(`{"specversion":"1.0","detail":1,"detail-type":"b"}`)}},
	} {
		got, err := Decode([]byte(c.data))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v (%s), %v", name, got, got.Body, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const ce, eb = `{"specversion":"1.0","id":"1","source":"s","type":"a",`, `{"id":"1","detail-type":"a","source":"s",`
	for data, want := range map[string]string{
		``:     "is not valid JSON",
		`[1]`:  "must be a JSON object",
		`null`: "must be a JSON object, not null",
		`{"tenant":"acme","event_type":"a","body":1}x`:                    "something after",
		`{"tenant":"acme","event_type":"a","body":1`:                      "not valid JSON",
		`{"tenant":"acme","event_type":"a"}`:                              `"body": missing`,
		`{"event_type":"a","body":1}`:                                     `"tenant": missing`,
		`{"tenant":"acme","body":1}`:                                      `"event_type": missing`,
		`{"tenant":"acme","event_type":"a","body":1,"Id":"x"}`:            `"Id": unknown; did you mean "id"?`,
		`{"tenant":"acme","event_type":"a","body":1,"body":1}`:            `"body": appears more than once`,
		`{"tenant":"","event_type":"a","body":1}`:                         `"tenant": must be 1 to 100`,
		`{"tenant":"a/b","event_type":"a","body":1}`:                      `"tenant": must be`,
		`{"tenant":null,"event_type":"a","body":1}`:                       `"tenant": must be a string, not null`,
		`{"tenant":"acme","event_type":"a..b","body":1}`:                  `"event_type": must be names`,
		`{"tenant":"acme","event_type":"*","body":1}`:                     `"event_type": must be of`,
		`{"tenant":"acme","event_type":"a","body":1,"id":""}`:             `"id": must be`,
		`{"tenant":"acme","event_type":"a","body":1,"id":7}`:              `"id": must be a string`,
		"{\"tenant\":\"acme\",\"event_type\":\"a\",\"body\":\"\xff\"}":    "UTF-8",
		`{"tenant":"\ud800","event_type":"a","body":1}`:                   `"tenant": is not valid Unicode`,
		`{"Type":"Notification","Message":"{}","TopicArn":"arn"}`:         "SNS notification",
		`"{\"tenant\":\"acme\"}"`:                                         "encoded twice",
		`{"url":"https://a.test","secret":"s","event_type":"a","body":1}`: "it belongs on the queue webhooks",

		`{"specversion":"0.3","id":"1","source":"s","type":"a","tenant":"acme","data":1}`: `"specversion": must be "1.0"`,
		ce + `"data":1}`:                             `"tenant": missing: a CloudEvent's tenant`,
		ce + `"data":1,"subject":"a/b"}`:             `"subject": names the tenant where`,
		ce + `"tenant":"acme"}`:                      `"data": missing`,
		ce + `"tenant":"acme","data_base64":"eA=="}`: `"data_base64": can't be sent`,
		ce + `"tenant":"acme","data":"<a/>","datacontenttype":"application/xml"}`:        `"datacontenttype": must be JSON's`,
		ce + `"tenant":"acme","data":1,"Bad_name":"x"}`:                                  `"Bad_name": unknown`,
		ce + `"tenant":"acme","data":1,"bad_name":"x"}`:                                  `"bad_name": unknown`,
		ce + `"tenant":"acme","data":1,"badName":"x"}`:                                   `"badName": unknown`,
		ce + `"tenant":"acme","data":1,"":"x"}`:                                          `unknown`,
		ce + `"tenant":"acme","data":"<a/>","datacontenttype":";"}`:                      `"datacontenttype": must be JSON's`,
		`{"specversion":"1.0","id":"","source":"s","type":"a","tenant":"acme","data":1}`: `"id": must not be empty`,
		`{"specversion":"1.0","id":"1","source":"","type":"a","tenant":"acme","data":1}`: `"source": must not be empty`,
		`{"specversion":"1.0","source":"s","type":"a","tenant":"acme","data":1}`:         `"id": missing`,

		eb + `"detail":{}}`:                                `"detail": must have the tenant`,
		eb + `"detail":[]}`:                                `"detail": must be an object`,
		eb + `"detail":{"tenant":7}}`:                      `"detail.tenant": must be a string`,
		eb + `"detail":{"tenant":"a","tenant":"b"}}`:       `has the tenant twice`,
		eb + `"detail":{"tenant":"acme"},"tenant":"acme"}`: `"tenant": unknown`,
		`{` + strings.Repeat(`"a":1,`, 200) + `"b":1}`:     "more than 100 keys",
	} {
		_, err := Decode([]byte(data))
		var wrong *message.FieldError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", data, err, want)
		}
	}
}

// TestDecodeKeepsWhatIsGood: a failure is recorded under its event's id.
func TestDecodeKeepsWhatIsGood(t *testing.T) {
	t.Parallel()
	got, err := Decode([]byte(`{"id":"evt_1","tenant":"acme","event_type":"*","body":1}`))
	if err == nil || got.ID != "evt_1" || got.Tenant != "acme" || got.Type != "" {
		t.Error(got, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"id":"evt_1","tenant":"acme","event_type":"a.b","body":{"a":[1]}}`,
		`{"specversion":"1.0","id":"1","source":"s","type":"a","tenant":"acme","data":1}`,
		`{"id":"1","detail-type":"a","source":"s","detail":{"tenant":"acme"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Decode(data)
		var wrong *message.FieldError
		switch {
		case err != nil && !errors.As(err, &wrong):
			t.Fatal(err)
		case err == nil && (message.CheckOwner(e.Tenant) != "" || message.CheckEventType(e.Type) != "" || len(e.Body) == 0 ||
			e.ID != "" && !message.ValidID(e.ID)):
			t.Fatalf("%+v", e)
		}
	})
}
