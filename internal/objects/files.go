package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/efferent/efferent/internal/channel"
)

// Files are the attachments of emails, in a directory whose folders are what
// buckets are to a deployment. It may be used by many goroutines at once.
type Files struct{ root string }

// NewFiles returns the files in a directory, which need not exist.
func NewFiles(root string) *Files { return &Files{root} }

// File returns what is at "bucket/key", of most bytes at most. Its error wraps
// channel.ErrNoFile where there is no such file, or a larger one; any other may
// pass.
func (f *Files) File(_ context.Context, place string, most int) ([]byte, error) {
	local, err := filepath.Localize(place)
	if err != nil {
		return nil, fmt.Errorf("%w: there is nothing under that key", channel.ErrNoFile)
	}
	root, err := os.OpenRoot(f.root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no directory %s", channel.ErrNoFile, f.root)
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return readFile(root, local, most)
}

func readFile(root *os.Root, local string, most int) ([]byte, error) {
	file, err := root.Open(local)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is nothing under that key", channel.ErrNoFile)
	}
	if err != nil {
		return nil, errors.New("it can't be opened")
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, int64(most)+1))
	switch {
	case err != nil:
		return nil, errors.New("it can't be read")
	case len(content) > most:
		return nil, fmt.Errorf("%w: it is too large: attachments may have 10 MiB together", channel.ErrNoFile)
	case len(content) == 0:
		return nil, fmt.Errorf("%w: it is empty", channel.ErrNoFile)
	}
	return content, nil
}
