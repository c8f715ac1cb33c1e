package awsquery

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// wantsJSON: SQS answers a query in JSON where that is asked for. No page of
// AWS's says so; LocalStack's test_get_list_queues_with_query_auth,
// test_get_queue_attributes_json_format and test_get_list_queues_fails_json_format
// were recorded on AWS.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "xml")
}

func asJSON(operation string, out any, err smithy.APIError, requestID string) []byte {
	if err != nil {
		return marshal(map[string]any{"RequestId": requestID,
			"Error": map[string]any{"Type": side(err), "Code": err.ErrorCode(), "Message": err.ErrorMessage()}})
	}
	response := map[string]any{"ResponseMetadata": map[string]string{"RequestId": requestID}}
	if v := reflect.Indirect(reflect.ValueOf(out)); len(fields(v.Type())) > 0 {
		response[operation+"Result"] = plain(v)
	}
	return marshal(map[string]any{operation + "Response": response})
}

func marshal(v any) []byte {
	b, _ := json.Marshal(v) // texts, numbers and truths only
	return b
}

// plain is v as JSON has it: maps are lists of their entries, and what is not
// set is null.
func plain(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case v.Kind() == reflect.Struct:
		object := map[string]any{}
		for _, f := range fields(v.Type()) {
			object[jsonName(v.Type().FieldByIndex(f.index).Name)] = plain(v.FieldByIndex(f.index))
		}
		return object
	case v.Kind() == reflect.Map && !v.IsNil():
		return plainEntries(v)
	case isBlob(v.Type()) && !v.IsNil():
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case isList(v.Type()) && !v.IsNil():
		list := []any{}
		for i := range v.Len() {
			list = append(list, plain(v.Index(i)))
		}
		return list
	case v.Kind() == reflect.Map, v.Kind() == reflect.Slice:
		return nil
	}
	return v.Interface()
}

func plainEntries(v reflect.Value) any {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	entries := []any{}
	for _, key := range keys {
		entries = append(entries, map[string]any{"Name": key.String(), "Value": plain(v.MapIndex(key))})
	}
	return entries
}

// jsonName: two lists have names of their own (LocalStack's
// test_marker_serialization_json_protocol, recorded on AWS, for the messages).
func jsonName(name string) string {
	if name == "Messages" || name == "QueueUrls" {
		return strings.ToLower(name[:1]) + name[1:]
	}
	return name
}
