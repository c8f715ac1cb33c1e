package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/template"
)

// The templates: their heads and their versions, each as one JSON text. A head that is
// deleted stays, for its numbers.
const (
	templateHeadsSchema = `CREATE TABLE template_heads (
	tenant TEXT NOT NULL,
	name TEXT NOT NULL,
	revision INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	head TEXT NOT NULL,
	PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID`
	templatesSchema = `CREATE TABLE templates (
	tenant TEXT NOT NULL,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	template TEXT NOT NULL,
	PRIMARY KEY (tenant, name, version)
) STRICT`
)

// Templates keeps templates, as template.Store has it.
type Templates struct{ db *DB }

// NewTemplates returns the templates in db.
func NewTemplates(db *DB) *Templates { return &Templates{db} }

// TemplateHead is as template.Store has it.
func (s *Templates) TemplateHead(ctx context.Context, tenant, name string) (h template.Head, err error) {
	err = s.read(ctx, &h, name, "SELECT head FROM template_heads WHERE tenant = ? AND name = ?", tenant, name)
	return h, err
}

// Template is as template.Store has it.
func (s *Templates) Template(ctx context.Context, tenant, name string, version int64) (t template.Template, err error) {
	err = s.read(ctx, &t, name, "SELECT template FROM templates WHERE tenant = ? AND name = ? AND version = ?", tenant, name, version)
	return t, err
}

func (s *Templates) read(ctx context.Context, into any, name, query string, args ...any) error {
	err := s.db.Do(ctx, func(tx *Tx) error {
		stmt, err := tx.Stmt(query)
		if err != nil {
			return err
		}
		var text []byte
		switch err := stmt.QueryRow(args...).Scan(&text); {
		case errors.Is(err, sql.ErrNoRows):
			return template.ErrNotFound
		case err != nil:
			return err
		}
		if err := json.Unmarshal(text, into); err != nil {
			return damagedRow(err, "templates", name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the template %s: %w", name, err)
	}
	return nil
}

// TemplateHeads is as template.Store has it.
func (s *Templates) TemplateHeads(ctx context.Context, tenant, after string, most int) (all []template.Head, more bool, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		all = nil
		rows, err := tx.Query("SELECT name, head FROM template_heads WHERE tenant = ? AND name > ? AND NOT deleted ORDER BY name LIMIT ?",
			tenant, after, most+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var text []byte
			var h template.Head
			if err := rows.Scan(&name, &text); err != nil {
				return err
			}
			if err := json.Unmarshal(text, &h); err != nil {
				return damagedRow(err, "template_heads", name)
			}
			all = append(all, h)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, false, fmt.Errorf("read the templates of the tenant %q: %w", tenant, err)
	}
	return all[:min(most, len(all))], len(all) > most, nil
}

// WriteTemplate is as template.Store has it.
func (s *Templates) WriteTemplate(ctx context.Context, h template.Head, add *template.Template) error {
	return s.write(ctx, h.Name, func(tx *Tx) error { return writeTemplate(tx, h, add) })
}

// MakeTemplate is as template.Store has it.
func (s *Templates) MakeTemplate(ctx context.Context, h template.Head, add template.Template, most int) error {
	return s.write(ctx, h.Name, func(tx *Tx) error {
		stmt, err := tx.Stmt("SELECT count(*) FROM template_heads WHERE tenant = ? AND NOT deleted")
		if err != nil {
			return err
		}
		there := 0
		if err := stmt.QueryRow(h.Tenant).Scan(&there); err != nil {
			return err
		}
		if there >= most {
			return template.ErrTooMany
		}
		return writeTemplate(tx, h, &add)
	})
}

func (s *Templates) write(ctx context.Context, name string, do func(*Tx) error) error {
	if err := s.db.Do(ctx, do); err != nil {
		return fmt.Errorf("keep the template %s: %w", name, err)
	}
	return nil
}

func writeTemplate(tx *Tx, h template.Head, add *template.Template) error {
	head, err := json.Marshal(h)
	if err != nil {
		return err
	}
	done, err := tx.Exec(`INSERT INTO template_heads SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?3 = 1 OR
			EXISTS (SELECT 1 FROM template_heads WHERE tenant = ?1 AND name = ?2)
			ON CONFLICT DO UPDATE SET revision = excluded.revision, deleted = excluded.deleted, head = excluded.head
			WHERE template_heads.revision = excluded.revision - 1`, h.Tenant, h.Name, h.Revision, h.Deleted(), string(head))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, template.ErrChanged)
	}
	if add == nil {
		return nil
	}
	version, err := json.Marshal(*add, json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT OR REPLACE INTO templates VALUES (?, ?, ?, ?)", add.Tenant, add.Name, add.Version, string(version))
	return err
}

// DropVersions is as template.Store has it.
func (s *Templates) DropVersions(ctx context.Context, tenant, name string, versions []int64) error {
	err := s.db.Do(ctx, func(tx *Tx) error {
		for _, v := range versions {
			if _, err := tx.Exec("DELETE FROM templates WHERE tenant = ? AND name = ? AND version = ?", tenant, name, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove versions of the template %s: %w", name, err)
	}
	return nil
}
