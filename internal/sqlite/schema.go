package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrVersion: the file was written by a newer program, by one from before the
// first release, or by another one.
var ErrVersion = errors.New("not a data file of this version of efferent")

// applicationID marks our files in SQLite's header ("eff\x01").
const applicationID = 0x65666601

// migrations are the schema's versions. Version n+1 is reached from version n
// by running the statements of migrations[n]; a released one never changes.
// Version 1 was never released and can't be read.
var migrations = [][]string{
	{},
	{queuesSchema, secretsSchema, attemptsSchema},
	{failuresColumn, failuresQueues, failuresIndex, claimsSchema},
	{ledgerHeadsSchema, ledgerStagedSchema},
	{waitingSchema, waitsIndex, waitingLeasesSchema, waitingSweptSchema},
	{circuitsSchema, circuitsExpire},
	{fileSchema, fileID},
	{endpointsSchema, endpointsOfTenant, rostersSchema},
	{pacesSchema},
	{eventsSchema, eventKeysSchema},
	{endpointColumn, attemptsOfEndpoint},
	{recipientsSchema},
	{templateHeadsSchema, templatesSchema},
	{suppressionsSchema},
}

// fileSchema has the one row that tells this data file from others.
const (
	fileSchema = `CREATE TABLE file (id TEXT NOT NULL) STRICT`
	fileID     = `INSERT INTO file VALUES (lower(hex(randomblob(16))))`
)

// migrate brings the file to the newest version, in one transaction.
func migrate(ctx context.Context, conn *sql.Conn) (err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, rollbackErr := conn.ExecContext(ctx, "ROLLBACK")
			err = errors.Join(err, rollbackErr)
		}
	}()
	version, err := currentVersion(ctx, conn)
	if err != nil {
		return err
	}
	for _, statements := range migrations[version:] {
		for _, s := range statements {
			if _, err := conn.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("migrate from version %d: %w", version, err)
			}
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf(
		"PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", applicationID, len(migrations)))
	return err
}

// currentVersion is the file's version, 0 for an empty file. A file of
// somebody else or of a newer program is refused.
func currentVersion(ctx context.Context, conn *sql.Conn) (int, error) {
	var version, app, tables int
	err := conn.QueryRowContext(ctx, `SELECT
		(SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&version, &app, &tables)
	switch {
	case err != nil:
		return 0, err
	case tables == 0 && app == 0 && version == 0:
		return 0, nil
	case app != applicationID:
		return 0, fmt.Errorf("%w: it is another program's database; choose another file", ErrVersion)
	case version < 2:
		return 0, fmt.Errorf("%w: its version is %d, from before the first release, and can't be read; "+
			"move the file away or choose another one", ErrVersion, version)
	case version > len(migrations):
		return 0, fmt.Errorf("%w: its version is %d, this program knows up to %d; use a newer efferent or another file",
			ErrVersion, version, len(migrations))
	}
	return version, nil
}
