package directory

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/template"
)

// exampleData is a file beside a template's parts that is none of them.
const exampleData = "data.json"

// readTemplate reads the parts of a template: of a folder's files, or of one file, which
// is html where its name says so, and body otherwise.
func readTemplate(from string) (map[template.Part]string, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		source, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		part := template.Body
		if slices.Contains([]string{".html", ".htm"}, strings.ToLower(filepath.Ext(from))) {
			part = template.HTML
		}
		return map[template.Part]string{part: string(source)}, nil
	}
	return readFolder(from)
}

func readFolder(from string) (map[template.Part]string, error) {
	files, err := os.ReadDir(from)
	if err != nil {
		return nil, err
	}
	byName := map[string]template.Part{}
	for part, name := range template.Files {
		byName[name] = part
	}
	parts := map[template.Part]string{}
	for _, f := range files {
		part, known := byName[f.Name()]
		switch ext := filepath.Ext(f.Name()); {
		case known && !f.IsDir():
			source, err := os.ReadFile(filepath.Join(from, f.Name()))
			if err != nil {
				return nil, err
			}
			parts[part] = string(source)
		case !f.IsDir() && f.Name() != exampleData && slices.Contains([]string{".txt", ".html", ".json"}, ext):
			return nil, fmt.Errorf("%s is no part of a template: those are %s", filepath.Join(from, f.Name()), fileNames())
		}
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%s has no part of a template: those are %s", from, fileNames())
	}
	return parts, nil
}

func fileNames() string {
	var all []string
	for _, part := range template.Parts {
		all = append(all, template.Files[part])
	}
	return strings.Join(all, ", ")
}
