// Package audit is the room that keeps the ledger: it takes batches of
// audit.fifo, whose message groups are the ledger's lanes, and appends their
// entries to the lane's log.
//
// The order of writes is what a crash anywhere may rely on:
//
//  1. the entries are staged, under a name that nobody finds without the head;
//  2. the head moves, by one conditional write: now they are in the log, and
//     the head says up to which SequenceNumber messages have been appended;
//  3. full tiles and bundles are published, always with the same bytes;
//  4. the head says so;
//  5. what was staged of them is dropped.
//
// What a run leaves undone of 3 to 5 is done by a later one, 5 by the next that
// fills a bundle.
package audit

import (
	"context"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
)

// Heads keeps the head of each lane. It is used by many goroutines at once.
type Heads interface {
	// Head returns the lane's head, the zero Head for a new lane. A Move that
	// returned before the call is seen.
	Head(ctx context.Context, lane string) (ledger.Head, error)
	// Move replaces the head of version now.Version-1 with now, durably once it
	// returns nil. ErrMoved: the head is of another version, and was not
	// replaced by this call, or was by an earlier try of it. After any other
	// error it may have been replaced.
	Move(ctx context.Context, lane string, now ledger.Head) error
}

// Staging keeps entries until they are published. It is used by many
// goroutines at once.
type Staging interface {
	// Stage keeps s, durably once it returns nil, beside others that end at the
	// same size with another root. The same may be staged again. After an error
	// it may have been kept.
	Stage(ctx context.Context, lane string, s ledger.Staged) error
	// Staged returns all that is staged in a lane, in order of End. What was
	// staged or dropped before the call is seen so.
	Staged(ctx context.Context, lane string) ([]ledger.Staged, error)
	// Drop removes some of what Staged returned. After an error any part of
	// it may have been removed.
	Drop(ctx context.Context, lane string, staged []ledger.Staged) error
}

// Objects keeps what is published, for good. It is used by many goroutines at
// once.
type Objects interface {
	// Put keeps b under path, durably once it returns nil. The same may be put
	// again; ledger.ErrChanged: other bytes are there, and stay. After another
	// error it may have been kept.
	Put(ctx context.Context, path string, b []byte) error
	// Get returns what is under path, or ledger.ErrNotFound.
	Get(ctx context.Context, path string) ([]byte, error)
}

// Queue is the queue that the messages came from.
type Queue interface {
	// Created returns when the queue was made, in seconds since 1970, as of
	// now: one that was deleted and made again is another.
	Created(ctx context.Context) (int64, error)
	// ChangeVisibility hides messages, each for its own time. After an error it
	// may have hidden any of them.
	ChangeVisibility(ctx context.Context, hides []message.Hide) error
}
