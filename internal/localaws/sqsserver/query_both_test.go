package sqsserver_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// tree is JSON's object.
type tree = map[string]any

// call is one request of both protocols. In its input, "$MessageId" and the
// like stand for the newest that an answer held.
type call struct {
	operation string
	input     tree
}

// scenario goes through every operation, and through errors.
var scenario = func() []call {
	const q, dlq, base = "http://x/000000000000/q", "http://x/000000000000/dlq", "arn:aws:sqs:us-east-1:000000000000:"
	on := func(queue string, more tree) tree {
		in := tree{"QueueUrl": queue}
		maps.Copy(in, more)
		return in
	}
	value := func(kind, field, v string) tree { return tree{"DataType": kind, field: v} }
	receive := call{"ReceiveMessage", on(q, tree{"MaxNumberOfMessages": 10, "WaitTimeSeconds": 0,
		"MessageSystemAttributeNames": []any{"All"}, "MessageAttributeNames": []any{"a", "b.*"}})}
	return []call{
		{"CreateQueue", tree{"QueueName": "dlq", "tags": tree{"k": "v", "empty": ""}}},
		{"CreateQueue", tree{"QueueName": "q", "Attributes": tree{"VisibilityTimeout": "7",
			"RedrivePolicy": `{"deadLetterTargetArn":"` + base + `dlq","maxReceiveCount":1}`}}},
		{"CreateQueue", tree{"QueueName": "q", "Attributes": tree{"VisibilityTimeout": "8"}}},
		{"CreateQueue", tree{}},
		{"GetQueueUrl", tree{"QueueName": "q"}},
		{"GetQueueUrl", tree{"QueueName": "nope"}},
		{"ListQueues", tree{}},
		{"ListQueues", tree{"QueueNamePrefix": "z"}},
		{"ListQueues", tree{"MaxResults": 1}},
		{"ListQueues", tree{"MaxResults": 1, "NextToken": "$NextToken"}},
		{"ListDeadLetterSourceQueues", on(dlq, nil)},
		{"TagQueue", on(q, tree{"Tags": tree{"a": "1", "b": "é 2"}})},
		{"UntagQueue", on(q, tree{"TagKeys": []any{"a", "c"}})},
		{"ListQueueTags", on(q, nil)},
		{"ListQueueTags", on(dlq, nil)},
		{"AddPermission", on(q, tree{"Label": "l", "AWSAccountIds": []any{"123456789012"}, "Actions": []any{"SendMessage"}})},
		{"AddPermission", on(q, tree{"Label": "l", "AWSAccountIds": []any{"1"}, "Actions": []any{"SendMessage"}})},
		{"GetQueueAttributes", on(q, tree{"AttributeNames": []any{"Policy"}})},
		{"RemovePermission", on(q, tree{"Label": "l"})},
		{"RemovePermission", on(q, tree{"Label": "l"})},
		{"SetQueueAttributes", on(q, tree{"Attributes": tree{"DelaySeconds": "0", "Policy": ""}})},
		{"SetQueueAttributes", on(q, tree{"Attributes": tree{"Nope": "0"}})},
		{"GetQueueAttributes", on(q, tree{"AttributeNames": []any{"All"}})},
		{"SendMessage", on(q, tree{"MessageBody": "<&>\"'\r\n\té\U0001F600", "DelaySeconds": 0,
			"MessageAttributes": tree{"a": value("Number", "StringValue", "1"), "b.c": value("Binary.x", "BinaryValue", "AP8="),
				"c": value("String", "StringValue", "\r")},
			"MessageSystemAttributes": tree{"AWSTraceHeader": value("String", "StringValue", "Root=1")}})},
		{"SendMessage", on(q, tree{"MessageBody": "x", "MessageAttributes": tree{"a": value("Number", "StringValue", "x")}})},
		{"SendMessage", on(q, tree{"MessageBody": "\x00"})},
		{"SendMessage", on(q, tree{"MessageBody": "x", "MessageSystemAttributes": tree{
			"AWSTraceHeader": value("String", "StringValue", "\x00")}})},
		{"SendMessageBatch", on(q, tree{"Entries": []any{
			tree{"Id": "1", "MessageBody": "x", "MessageGroupId": "g", "MessageAttributes": tree{"a": value("String", "StringValue", "y")}},
			tree{"Id": "2", "MessageBody": "x", "DelaySeconds": 901}, tree{"Id": "3", "MessageBody": "later", "DelaySeconds": 900}}})},
		{"SendMessageBatch", on(q, tree{"Entries": []any{}})},
		receive,
		{"ChangeMessageVisibility", on(q, tree{"ReceiptHandle": "$ReceiptHandle", "VisibilityTimeout": 0})},
		receive,
		{"ChangeMessageVisibility", on(q, tree{"ReceiptHandle": "nope", "VisibilityTimeout": 0})},
		{"ReceiveMessage", on(dlq, tree{"AttributeNames": []any{"ApproximateReceiveCount", "DeadLetterQueueSourceArn"}, "VisibilityTimeout": 0})},
		{"StartMessageMoveTask", tree{"SourceArn": base + "dlq", "MaxNumberOfMessagesPerSecond": 500}},
		{"ListMessageMoveTasks", tree{"SourceArn": base + "dlq", "MaxResults": 10}},
		{"ListMessageMoveTasks", tree{"SourceArn": base + "nope"}},
		{"StartMessageMoveTask", tree{"SourceArn": base + "q"}},
		{"CancelMessageMoveTask", tree{"TaskHandle": "$TaskHandle"}},
		receive,
		{"ChangeMessageVisibilityBatch", on(q, tree{"Entries": []any{
			tree{"Id": "1", "ReceiptHandle": "$ReceiptHandle", "VisibilityTimeout": 9},
			tree{"Id": "2", "ReceiptHandle": "x", "VisibilityTimeout": 9}}})},
		{"DeleteMessageBatch", on(q, tree{"Entries": []any{
			tree{"Id": "1", "ReceiptHandle": "$ReceiptHandle"}, tree{"Id": "2", "ReceiptHandle": "x"}}})},
		{"DeleteMessage", on(q, tree{"ReceiptHandle": "$ReceiptHandle"})},
		{"DeleteMessage", on(q, tree{"ReceiptHandle": "x"})},
		{"PurgeQueue", on(q, nil)},
		{"PurgeQueue", on(q, nil)},
		{"DeleteQueue", on(q, nil)},
		{"DeleteQueue", on("http://x/000000000000/nope", nil)},
	}
}()

// TestBothProtocolsSayTheSame goes through the scenario once in each.
func TestBothProtocolsSayTheSame(t *testing.T) {
	t.Parallel()
	byJSON, byQuery := newBundle(t), newBundle(t)
	jsonSeen, querySeen := tree{}, tree{}
	done := map[string]bool{}
	for i, c := range scenario {
		done[c.operation] = true
		want := askJSON(byJSON, c.operation, fill(c.input, jsonSeen).(tree))
		got := askQuery(byQuery, c.operation, fill(c.input, querySeen).(tree))
		if message, ok := want["message"].(string); ok && strings.HasSuffix(message, " queue does not exist.") {
			want["message"] = strings.TrimSuffix(message, ".") + " for this wsdl version." // so AWS
		}
		keep(want, jsonSeen)
		keep(got, querySeen)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d, %s %v:\nquery %v\n JSON %v", i, c.operation, c.input, got, want)
		}
		if c.operation == "StartMessageMoveTask" {
			byJSON.finished()
			byQuery.finished()
		}
	}
	for _, operation := range sqsserver.Operations(byJSON.Engine) {
		if !done[operation] {
			t.Errorf("%s is not in the scenario: add a call of it", operation)
		}
	}
}

// fill puts what was seen in place of "$…".
func fill(v any, seen tree) any {
	switch v := v.(type) {
	case tree:
		filled := tree{}
		for k, x := range v {
			filled[k] = fill(x, seen)
		}
		return filled
	case []any:
		filled := []any{}
		for _, x := range v {
			filled = append(filled, fill(x, seen))
		}
		return filled
	case string:
		if name, ok := strings.CutPrefix(v, "$"); ok {
			return seen[name]
		}
	}
	return v
}

// keep takes what is random out of v.
func keep(v any, seen tree) {
	switch v := v.(type) {
	case tree:
		for k, x := range v {
			if slices.Contains([]string{"MessageId", "ReceiptHandle", "TaskHandle", "NextToken"}, k) {
				v[k], seen[k] = "…", x
			}
			keep(x, seen)
		}
	case []any:
		for _, x := range v {
			keep(x, seen)
		}
	}
}

// An answer is its result, or its error's code, fault and message; numbers
// and truths are text.

func askJSON(b *bundle, operation string, in tree) tree {
	b.t.Helper()
	body, err := json.Marshal(in)
	b.must(err)
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:99/", strings.NewReader(string(body)))
	r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	w := httptest.NewRecorder()
	sqsserver.NewHandler(b.Engine).ServeHTTP(w, r)
	out := tree{}
	decoder := json.NewDecoder(w.Body)
	decoder.UseNumber()
	b.must(decoder.Decode(&out))
	if w.Code != http.StatusOK {
		return tree{"error": w.Header().Get("x-amzn-query-error"), "message": out["message"]}
	}
	return texts(out).(tree)
}

func texts(v any) any {
	switch v := v.(type) {
	case tree:
		for k, x := range v {
			v[k] = texts(x)
		}
	case []any:
		for i, x := range v {
			v[i] = texts(x)
		}
	default:
		return fmt.Sprint(v)
	}
	return v
}

// queryNames are the names that the model (API version 2012-11-05, protocol
// query) gives lists and maps; those of structs in lists are per operation.
var queryNames = map[string]string{
	"Attributes": "Attribute", "MessageAttributes": "MessageAttribute", "MessageSystemAttributes": "MessageSystemAttribute",
	"tags": "Tag", "Tags": "Tag", "TagKeys": "TagKey", "AttributeNames": "AttributeName", "MessageAttributeNames": "MessageAttributeName",
	"MessageSystemAttributeNames": "MessageSystemAttributeName", "AWSAccountIds": "AWSAccountId", "Actions": "ActionName",
	"QueueUrls": "QueueUrl", "queueUrls": "QueueUrl", "Messages": "Message", "Results": "ListMessageMoveTasksResultEntry",
	"Failed": "BatchResultErrorEntry",
}

func queryName(operation, name string) string {
	switch {
	case name == "Entries":
		return operation + "RequestEntry"
	case name == "Successful":
		return operation + "ResultEntry"
	case queryNames[name] != "":
		return queryNames[name]
	}
	return name
}

// addForm adds v to form, as botocore does.
func addForm(form neturl.Values, operation, name string, v any) {
	switch v := v.(type) {
	case tree:
		for k, x := range v {
			addForm(form, operation, name+"."+k, x)
		}
	case []any:
		for i, x := range v {
			addMember(form, operation, name+"."+strconv.Itoa(i+1), x)
		}
	default:
		form.Set(name, fmt.Sprint(v))
	}
}

// addMember adds a struct's members, of which lists and maps are flattened.
func addMember(form neturl.Values, operation, name string, v any) {
	members, isStruct := v.(tree)
	if !isStruct {
		addForm(form, operation, name, v)
		return
	}
	for k, x := range members {
		member := strings.TrimPrefix(name+"."+queryName(operation, k), ".")
		entries, isMap := x.(tree)
		if !isMap {
			addForm(form, operation, member, x)
			continue
		}
		key := "Name"
		if strings.EqualFold(k, "tags") {
			key = "Key"
		}
		for i, entry := range slices.Sorted(maps.Keys(entries)) {
			at := member + "." + strconv.Itoa(i+1)
			form.Set(at+"."+key, entry)
			addForm(form, operation, at+".Value", entries[entry])
		}
	}
}

// xmlNode is any element.
type xmlNode struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	Nodes   []xmlNode `xml:",any"`
}

func (n xmlNode) child(name string) xmlNode {
	for _, c := range n.Nodes {
		if c.XMLName.Local == name {
			return c
		}
	}
	return xmlNode{}
}

func formOf(operation string, in tree) neturl.Values {
	form := neturl.Values{"Action": {operation}}
	addMember(form, operation, "", in)
	return form
}

func askQuery(b *bundle, operation string, in tree) tree {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:99/", strings.NewReader(formOf(operation, in).Encode()))
	w := httptest.NewRecorder()
	sqsserver.NewHandler(b.Engine).ServeHTTP(w, r)
	var n xmlNode
	b.must(xml.Unmarshal(w.Body.Bytes(), &n))
	if w.Code != http.StatusOK {
		e := n.child("Error")
		return tree{"error": e.child("Code").Text + ";" + e.child("Type").Text, "message": e.child("Message").Text}
	}
	return n.child(operation + "Result").members(operation)
}

// members are an element's, with the names that JSON has for them.
func (n xmlNode) members(operation string) tree {
	out := tree{}
	for _, c := range n.Nodes {
		switch name := jsonName(operation, c); name {
		case "Attributes", "MessageAttributes", "Tags":
			entry := c.child("Name")
			if name == "Tags" {
				entry = c.child("Key")
			}
			set, _ := out[name].(tree)
			if set == nil {
				set = tree{}
				out[name] = set
			}
			set[entry.Text] = c.child("Value").value(operation)
		case c.XMLName.Local:
			out[name] = c.Text
		default:
			list, _ := out[name].([]any)
			out[name] = append(list, c.value(operation))
		}
	}
	return out
}

func (n xmlNode) value(operation string) any {
	if len(n.Nodes) == 0 {
		return n.Text
	}
	return n.members(operation)
}

func jsonName(operation string, n xmlNode) string {
	name := n.XMLName.Local
	switch {
	case name == "QueueUrl" && operation == "ListQueues":
		return "QueueUrls"
	case name == "QueueUrl" && operation == "ListDeadLetterSourceQueues":
		return "queueUrls"
	case name == "Tag":
		return "Tags"
	case name == operation+"ResultEntry" && operation != "ListMessageMoveTasks":
		return "Successful"
	case name == "QueueUrl", name == "Message" && len(n.Nodes) == 0: // one text
		return name
	}
	for member, element := range queryNames {
		if element == name {
			return member
		}
	}
	return name
}
