package node

import (
	"slices"
	"testing"
)

func TestSettings_NameTheFoldersWhoseDisksMayFill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		brokers, database string
		role              Role
		want              []string
	}{
		{"", "", Sink, []string{"/d"}},
		{"", "mysql://u:p@h/d", Sink, []string{"/d"}},
		{"", "sqlite:/elsewhere/t.db", Sink, []string{"/elsewhere", "/d"}},
		{"kafka:9092", "", Sink, []string{"/d"}},
		{"kafka:9092", "sqlite:/elsewhere/t.db", Sink, []string{"/elsewhere"}},
		{"kafka:9092", "sqlite:////elsewhere/t.db", API, []string{"/elsewhere"}},
		{"kafka:9092", "sqlite+pysqlite:t.db", Sink, []string{"."}},
		{"kafka:9092", "sqlite:/elsewhere/t.db", Processors, nil},
		{"kafka:9092", "mysql://u:p@h/d", Sink, nil},
	} {
		s := new(Settings)
		s.Data, s.Brokers, s.DatabaseURL = "/d", c.brokers, c.database
		if got := s.writtenBy(map[Role]bool{c.role: true}); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s, %v: %q, want %q", c.brokers, c.database, c.role, got, c.want)
		}
	}
}

func TestRoom_IsThatOfADiskThatIsThere(t *testing.T) {
	t.Parallel()
	if _, known := leastRoom(nil); known {
		t.Error("no folder has room")
	}
	if _, known := leastRoom([]string{t.TempDir() + "/none"}); known {
		t.Error("a folder that is not there has room")
	}
}
