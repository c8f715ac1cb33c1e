// Package objects keeps immutable objects by their paths: in a directory, or
// in memory. It is what S3 is to a deployment.
package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/efferent/efferent/internal/ledger"
)

// Directory keeps each object in a file of its own. A killed process loses
// nothing it had kept; a failure of the machine's power may. It may be used by
// many goroutines at once.
type Directory struct{ root string }

// NewDirectory returns the objects in a directory, which need not exist yet.
func NewDirectory(root string) *Directory { return &Directory{root} }

// file is an object's file; a path that leads out of the directory has none.
func (d *Directory) file(path string) (string, error) {
	local, err := filepath.Localize(path)
	if err != nil {
		return "", fmt.Errorf("object %q: %w", path, err)
	}
	return filepath.Join(d.root, local), nil
}

// Put keeps b under path. Where other bytes are, they stay, and the error is
// ledger.ErrChanged.
func (d *Directory) Put(_ context.Context, path string, b []byte) error {
	name, err := d.file(path)
	if err != nil {
		return err
	}
	temporary, err := d.write(name, b)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	err = os.Link(temporary, name)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return same(path, name, b)
}

// Replace keeps b under path, whatever is there.
func (d *Directory) Replace(_ context.Context, path string, b []byte) error {
	name, err := d.file(path)
	if err != nil {
		return err
	}
	temporary, err := d.write(name, b)
	if err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

// write makes a file with b beside the one that it is to become.
func (d *Directory) write(name string, b []byte) (temporary string, err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func same(path, name string, b []byte) error {
	kept, err := os.ReadFile(name)
	if err == nil && !bytes.Equal(kept, b) {
		err = fmt.Errorf("object %s holds other bytes: %w", path, ledger.ErrChanged)
	}
	return err
}

// Get returns what is under path, or ledger.ErrNotFound.
func (d *Directory) Get(_ context.Context, path string) ([]byte, error) {
	name, err := d.file(path)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("object %s: %w", path, ledger.ErrNotFound)
	}
	return b, err
}

// List returns the paths under a prefix that ends in a slash and after a path,
// in order, without those of folders below it.
func (d *Directory) List(_ context.Context, prefix, after string) ([]string, error) {
	name, err := d.file(filepath.ToSlash(filepath.Clean(prefix)))
	if err != nil {
		return nil, err
	}
	found, err := os.ReadDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var paths []string
	for _, f := range found {
		if !f.IsDir() && f.Name()[0] != '.' && prefix+f.Name() > after {
			paths = append(paths, prefix+f.Name())
		}
	}
	return paths, err
}
