package sqlite_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/sqlite"
)

func TestSecretsAreKept(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	db := open(t, path)
	at := time.Date(2026, 11, 24, 12, 0, 0, 123e6, time.UTC)
	a := secretserver.Secret{ARN: "arn", Name: "a", Description: "d", KMSKeyID: "k", Created: at, Changed: at.Add(1),
		Accessed: at.Add(2), Deleted: at.Add(3), Purged: at.Add(4), Tags: []secretserver.Tag{{Key: "k", Value: "é"}},
		Versions: []secretserver.Version{{ID: "1", Created: at, Stages: []string{"AWSCURRENT"}, Text: aws.String("whsec_\x00é")},
			{ID: "2", Created: at, Accessed: at, Binary: []byte{0, 255}}}}
	b := secretserver.Secret{Name: "b", Created: at, Changed: at, Tags: []secretserver.Tag{}}
	for _, s := range []secretserver.Secret{b, {Name: "a"}, {Name: "c"}, a} {
		must(t, sqlite.NewSecrets(db).PutSecret(t.Context(), s))
	}
	for range 2 { // the second time it is not there
		must(t, sqlite.NewSecrets(db).DeleteSecret(t.Context(), "c"))
	}
	must(t, db.Close())
	db = open(t, path)
	got, err := sqlite.NewSecrets(db).LoadSecrets(t.Context())
	must(t, err)
	if want := []secretserver.Secret{a, b}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v", got)
	}
	must(t, db.Do(t.Context(), run(`UPDATE secrets SET secret = '"whsec_x' WHERE name = 'a'`)))
	if _, err := sqlite.NewSecrets(db).LoadSecrets(t.Context()); err == nil || strings.Contains(err.Error(), "whsec") {
		t.Errorf("a broken row: %v", err)
	}
}
