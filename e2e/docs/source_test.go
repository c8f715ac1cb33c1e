package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// sources calls do with each file of the code that is no test.
func sources(t *testing.T, do func(path string) error) {
	t.Helper()
	for _, root := range []string{"internal", "lambdas", "cmd"} {
		err := filepath.WalkDir(filepath.Join("../..", root), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "internal/storetest") {
				return err
			}
			return do(path)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func sourceText(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	sources(t, func(path string) error {
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	})
	return all.String()
}

// messageAt is at which argument a logger's method has the message.
var messageAt = map[string]int{"Error": 0, "Warn": 0, "Info": 0, "Debug": 0, "ErrorContext": 1, "WarnContext": 1, "InfoContext": 1,
	"DebugContext": 1, "Log": 2, "With": -1}

// logFields are the keys that loggers are given as they stand in the code.
func logFields(t *testing.T) (keys []string) {
	t.Helper()
	sources(t, func(path string) error {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				keys = append(keys, keysOf(call)...)
			}
			return true
		})
		return nil
	})
	return keys
}

// keysOf are those of one call; what is not a key, and its value, is an attribute that
// was made elsewhere.
func keysOf(call *ast.CallExpr) (keys []string) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	at, ok := messageAt[method.Sel.Name]
	if !ok || !isLog(method.X) {
		return nil
	}
	for i := at + 1; i < len(call.Args); i++ {
		if key, ok := call.Args[i].(*ast.BasicLit); ok && key.Kind == token.STRING {
			text, _ := strconv.Unquote(key.Value)
			keys = append(keys, text)
			i++
		}
	}
	return keys
}

// isLog reports whether an expression is what loggers are called.
func isLog(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return strings.HasSuffix(strings.ToLower(x.Name), "log")
	case *ast.SelectorExpr:
		return strings.HasSuffix(strings.ToLower(x.Sel.Name), "log") || x.Sel.Name == "Logger"
	}
	return false
}
