package node

import (
	"path/filepath"
	"slices"

	"tipoff/broker"
	"tipoff/sink"
)

// Found is the broker that settings lead to, before anything is asked of it.
type Found struct {
	Config broker.Config // how to reach it, unless it is a stopped one's Folder
	Folder string        // of a broker inside a process; "": Kafka is outside
	Held   bool          // a process runs the folder's broker
}

// Find looks for the broker of the settings, and changes nothing.
func (s *Settings) Find() Found {
	if !s.Embedded() {
		return Found{Config: s.config()}
	}
	f := Found{Folder: s.brokerFolder()}
	f.Config, f.Held = broker.FindEmbedded(f.Folder)
	return f
}

// SQLiteFile is where the database is while DATABASE_URL names none.
func (s *Settings) SQLiteFile() string { return filepath.Join(s.Data, "tipoff.db") }

// writtenBy lists the folders that a process with the roles writes to: those of the broker
// inside it, and of SQLite.
func (s *Settings) writtenBy(has map[Role]bool) (folders []string) {
	path, isFile := sink.SQLitePath(s.DatabaseURL)
	if s.DatabaseURL == "" {
		path, isFile = s.SQLiteFile(), true
	}
	if isFile && (has[Sink] || has[API]) {
		folders = append(folders, filepath.Dir(path))
	}
	if s.Embedded() && !slices.Contains(folders, s.Data) {
		folders = append(folders, s.Data)
	}
	return folders
}

// OpenDatabaseToRead prepares a connection to the mirror by which nothing is created or
// changed; see [sink.OpenToRead].
func (s *Settings) OpenDatabaseToRead() (*sink.Database, error) {
	if s.DatabaseURL != "" {
		return sink.OpenToRead(s.DatabaseURL)
	}
	return sink.OpenSQLiteToRead(s.SQLiteFile())
}
