package main

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// archive writes a zip file of one program. It has no time of its own and always
// the same mode, so that the same program makes the same file.
func (r release) archive(name, program string) (err error) {
	from, err := os.Open(program)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(r.file(name))
	if err != nil {
		return err
	}
	defer func() {
		if closed := to.Close(); err == nil {
			err = closed
		}
	}()
	if err := zipOne(to, filepath.Base(program), from); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// since is the first moment that a zip file can hold.
var since = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func zipOne(to io.Writer, name string, content io.Reader) error {
	z := zip.NewWriter(to)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: since}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, content); err != nil {
		return err
	}
	return z.Close()
}
