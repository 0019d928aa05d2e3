package sink

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/doug-martin/goqu/v9"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// versionTable is where goose keeps which migrations were applied.
const versionTable = "schema_versions"

func (d *Database) migrations() (fs.FS, database.Dialect, error) {
	dialect, folder := database.DialectMySQL, "migrations/mysql"
	if d.sqlite {
		dialect, folder = database.DialectSQLite3, "migrations/sqlite"
	}
	files, err := fs.Sub(migrations, folder)
	return files, dialect, err
}

// Migrate makes the schema the newest one, and refuses one that is newer than this
// program. Several processes may call it at once, and again after one died in it.
func (d *Database) Migrate(ctx context.Context) error {
	files, dialect, err := d.migrations()
	if err != nil {
		return err
	}
	store, err := database.NewStore(dialect, versionTable)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider("", d.sql, files, goose.WithStore(store))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	unlock, err := d.lockMigrations(ctx)
	if err != nil {
		return fmt.Errorf("wait for another process's migration: %w", err)
	}
	defer unlock()
	if err := d.mendVersions(ctx); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	stored, ours, err := d.versions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if stored > ours {
		return &schemaError{kind: Ahead, stored: stored, ours: ours}
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", d.where, err)
	}
	return nil
}

// versions are the schema's version in the database, 0 where there is none, and the
// one that this program needs.
func (d *Database) versions(ctx context.Context) (stored, ours int64, err error) {
	files, _, err := d.migrations()
	if err != nil {
		return 0, 0, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, 0, err
	}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, 0, err
		}
		ours = max(ours, version)
	}
	_, err = d.goqu.From(versionTable).Prepared(true).Select(goqu.COALESCE(goqu.MAX("version_id"), 0)).
		Where(goqu.C("is_applied").Eq(1)).ScanValContext(ctx, &stored)
	if err != nil && classify(err) == schema {
		err = nil
	}
	return stored, ours, err
}

// mendVersions completes a table of versions whose creator died before its first row,
// which goose would never do.
func (d *Database) mendVersions(ctx context.Context) error {
	rows, err := d.goqu.From(versionTable).Prepared(true).CountContext(ctx)
	if err != nil && classify(err) == schema {
		return nil // goose creates it
	}
	if err != nil || rows > 0 {
		return err
	}
	_, err = d.goqu.Insert(versionTable).Prepared(true).Rows(goqu.Record{"version_id": 0, "is_applied": 1}).Executor().ExecContext(ctx)
	return err
}

// lockMigrations lets one process at a time migrate a MySQL database; SQLite has
// one process only.
func (d *Database) lockMigrations(ctx context.Context) (unlock func(), err error) {
	if d.sqlite {
		return func() {}, nil
	}
	conn, err := d.sql.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK('tipoff_migrations', 60)").Scan(&got); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if got.Int64 != 1 {
		return nil, errors.Join(errors.New("it took longer than 60 s"), conn.Close())
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK('tipoff_migrations')")
		_ = conn.Close()
	}, nil
}
