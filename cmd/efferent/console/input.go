package console

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ReadPatch reads a JSON merge patch from an argument; - is standard input.
func ReadPatch(arg, example string) (jsontext.Value, error) {
	text := []byte(arg)
	if arg == "-" {
		var err error
		if text, err = io.ReadAll(io.LimitReader(os.Stdin, 1<<20)); err != nil {
			return nil, fmt.Errorf("read the patch from standard input: %w", err)
		}
	}
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return nil, Misusedf("the patch is not a JSON object, such as '%s'", example)
	}
	return text, nil
}

// ReadBody reads a file; - is standard input.
func ReadBody(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}

// ReadData reads the data of a template: a file, standard input for -, or the JSON
// object itself.
func ReadData(text string) (jsontext.Value, error) {
	if text == "" {
		return nil, nil
	}
	data := jsontext.Value(strings.TrimSpace(text))
	if !strings.HasPrefix(string(data), "{") {
		read, err := ReadBody(text)
		if err != nil {
			return nil, err
		}
		data = jsontext.Value(strings.TrimSpace(string(read)))
	}
	if !data.IsValid() || data.Kind() != jsontext.KindBeginObject {
		return nil, fmt.Errorf("--data must be a JSON object with each key once, or a file with one")
	}
	return data, nil
}
