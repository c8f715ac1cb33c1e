package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// checksums writes the SHA-256 of all other files, as `sha256sum --check` reads
// them.
func (r release) checksums() error {
	files, err := filepath.Glob(r.file("*"))
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, file := range files {
		sum, err := sumOf(file)
		if err != nil {
			return err
		}
		text.WriteString(sum + "  " + filepath.Base(file) + "\n")
	}
	return os.WriteFile(r.file("SHA256SUMS"), []byte(text.String()), 0o644)
}

func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
