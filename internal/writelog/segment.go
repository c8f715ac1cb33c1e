package writelog

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/go-json-experiment/json"
)

// segment is one file of the log: records, each its length, its CRC-32C and its
// JSON. The first is a header. An empty file has none.
type segment struct {
	file
	id     string
	number int64
	size   int64
	frame  []byte
}

// file is what of an os.File is used.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Name() string
	Stat() (os.FileInfo, error)
	Truncate(size int64) error
}

// header says whose a segment is, and which of two is the older one.
type header struct {
	Version int
	ID      string
	Number  int64
}

const version = 1

// frameHead is the length and the sum of a record, in bytes.
const frameHead = 8

// keep is the size up to which the memory of a record is used again, in bytes.
const keep = 1 << 20

// longest is more than any record: ten messages of 1 MiB, each byte of which
// may take six.
const longest = 128 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func openSegment(path, id string) (*segment, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &segment{file: f, id: id}, nil
}

// begin makes an empty segment one with a number.
func (s *segment) begin(number int64) error {
	if err := s.empty(); err != nil {
		return err
	}
	s.number = number
	h, err := json.Marshal(header{version, s.id, number})
	if err != nil {
		return err
	}
	return s.append(h)
}

// errTooLong: read would take it for one that is not whole.
var errTooLong = errors.New("these changes are too many to be written at once")

// append adds a record, or leaves the file as it was.
func (s *segment) append(record []byte) error {
	if len(record) > longest {
		return errTooLong
	}
	s.frame = binary.BigEndian.AppendUint32(s.frame[:0], uint32(len(record)))
	s.frame = binary.BigEndian.AppendUint32(s.frame, crc32.Checksum(record, castagnoli))
	s.frame = append(s.frame, record...)
	// At its place, so that what a failed write left is written over.
	if _, err := s.WriteAt(s.frame, s.size); err != nil {
		return errors.Join(err, s.Truncate(s.size))
	}
	s.size += int64(len(s.frame))
	if cap(s.frame) > keep {
		s.frame = nil
	}
	return nil
}

func (s *segment) empty() error {
	if err := s.Truncate(0); err != nil {
		return err
	}
	s.size = 0
	return nil
}

func (s *segment) remove() error { return errors.Join(s.Close(), os.Remove(s.Name())) }

// errTorn: the file ends, or goes on with something else, where a record should be.
var errTorn = errors.New("a record is not whole")

// read gives the records of a segment, one after the other, until one that is
// not whole: that one was never acknowledged. left is how many bytes it and what
// follows are.
func (s *segment) read(each func(record []byte) error) (left int64, err error) {
	info, err := s.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	r := bufio.NewReader(io.NewSectionReader(s, 0, info.Size()))
	first, err := readRecord(r)
	if errors.Is(err, errTorn) {
		return info.Size(), nil
	}
	var h header
	if err := errors.Join(err, json.Unmarshal(first, &h)); err != nil {
		return 0, fmt.Errorf("%s: %w", s.Name(), err)
	}
	if h.Version != version || h.ID != s.id {
		return 0, fmt.Errorf("%s: %w", s.Name(), ErrForeign)
	}
	s.number = h.Number
	at := frameHead + int64(len(first))
	for at < info.Size() {
		record, err := readRecord(r)
		if errors.Is(err, errTorn) {
			break
		}
		if err == nil {
			err = each(record)
		}
		if err != nil {
			return 0, fmt.Errorf("%s, at byte %d: %w", s.Name(), at, err)
		}
		at += frameHead + int64(len(record))
	}
	return info.Size() - at, nil
}

func readRecord(r io.Reader) ([]byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, torn(err)
	}
	length, sum := binary.BigEndian.Uint32(head[:]), binary.BigEndian.Uint32(head[4:])
	// Zeros are what a file system may show where it lost what was written.
	if length == 0 || length > longest {
		return nil, errTorn
	}
	record := make([]byte, length)
	if _, err := io.ReadFull(r, record); err != nil {
		return nil, torn(err)
	}
	if crc32.Checksum(record, castagnoli) != sum {
		return nil, errTorn
	}
	return record, nil
}

// torn is errTorn where the file ended; other errors stay what they are.
func torn(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}
