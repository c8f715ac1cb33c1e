package sqsserver

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

// receipt is what a receipt handle says: which receive of which message. The
// message's random id makes it hard to guess.
type receipt struct {
	queue    int64
	key      int64
	received int32
	id       [16]byte
}

const receiptSize = 1 + 8 + 8 + 4 + 16 + 4

const receiptVersion = 1

func (r receipt) String() string {
	b := make([]byte, 0, receiptSize)
	b = append(b, receiptVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(r.queue))
	b = binary.BigEndian.AppendUint64(b, uint64(r.key))
	b = binary.BigEndian.AppendUint32(b, uint32(r.received))
	b = append(b, r.id[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.StdEncoding.EncodeToString(b)
}

// parseReceipt reads a handle of queue; false when it is no such handle.
func parseReceipt(handle string, queue int64) (r receipt, ok bool) {
	if len(handle) != base64.StdEncoding.EncodedLen(receiptSize) {
		return r, false
	}
	b, err := base64.StdEncoding.DecodeString(handle)
	if err != nil || len(b) != receiptSize || b[0] != receiptVersion {
		return r, false
	}
	body, sum := b[:receiptSize-4], b[receiptSize-4:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(sum) {
		return r, false
	}
	r.queue = int64(binary.BigEndian.Uint64(b[1:]))
	r.key = int64(binary.BigEndian.Uint64(b[9:]))
	r.received = int32(binary.BigEndian.Uint32(b[17:]))
	r.id = [16]byte(b[21:37])
	return r, r.queue == queue
}
