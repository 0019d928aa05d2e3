package sink

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tipoff"
	"tipoff/topics"
)

// TestWrite_ARepeatedSuffixChangesNothing: after a restart the broker delivers again
// what was written since the last offset that it knows.
func TestWrite_ARepeatedSuffixChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		rapid.Check(t, func(r *rapid.T) {
			for _, table := range []string{"selections", "coupons", "event_participants", "events", "users", "sources", "companies"} {
				exec(t, db, "DELETE FROM "+table)
			}
			few := rapid.IntRange(0, 4)
			l := newLog(rapid.SampledFrom(topics.Facts()).Draw(r, "topic"), "x")
			for i := range rapid.IntRange(1, 30).Draw(r, "records") {
				id, version := fmt.Sprint("id", few.Draw(r, "id")), fmt.Sprint("version", i)
				switch l.topic {
				case topics.Users:
					l.add(user(id, version))
				case topics.Coupons:
					l.add(coupon(id, fmt.Sprint("u", few.Draw(r, "user")), float64(i+1), slices.Repeat([]string{"e"}, 1+few.Draw(r, "legs"))...))
				default:
					if rapid.Bool().Draw(r, "patch") {
						l.add(patch(id, rapid.SampledFrom([]string{tipoff.StatusFinished, tipoff.StatusSuspended}).Draw(r, "status")))
					} else {
						l.add(event(id, version, slices.Repeat([]string{version}, few.Draw(r, "participants"))...))
					}
				}
			}
			n := len(l.records)
			for written := 0; written < n; {
				end := rapid.IntRange(written+1, n).Draw(r, "end of batch")
				l.mirror(t, &writer{db: db}, written, end)
				before := everything(t, db)
				again := &writer{db: db}
				for from := rapid.IntRange(0, end-1).Draw(r, "known offset"); from < end; {
					to := rapid.IntRange(from+1, end).Draw(r, "end of repeated batch")
					l.mirror(t, again, from, to)
					from = to
				}
				if after := everything(t, db); !slices.Equal(before, after) {
					r.Fatalf("after a repeat:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
				}
				written = end
			}
		})
	})
}

// streams are a log of coupons, and one of users, for a fault to fall upon.
func streams(n int) (coupons, users *log) {
	coupons, users = newLog(topics.Coupons, "c"), newLog(topics.Users, "u")
	for i := range n {
		coupons.add(coupon(fmt.Sprint("c", i), fmt.Sprint("u", i%50), float64(i+1), "e1", "e2"))
		users.add(user(fmt.Sprint("u", i%50), fmt.Sprint("country", i)))
	}
	return coupons, users
}

// holds wants all of both streams, once.
func holds(t *testing.T, db *Database, n int) {
	t.Helper()
	want(t, db, "SELECT COUNT(*), COUNT(DISTINCT coupon_id), SUM(stake) FROM coupons", fmt.Sprint(n, n, n*(n+1)/2))
	want(t, db, "SELECT COUNT(*), COUNT(DISTINCT coupon_pk) FROM selections", fmt.Sprint(2*n, n))
	want(t, db, "SELECT COUNT(*), MIN(source_offset & 1099511627775) FROM users", fmt.Sprint(50, n-50))
}

func TestMySQL_ALockThatLastsAndADeadlock(t *testing.T) {
	db := migrated(t, emptyMySQL(t))
	users := newLog(topics.Users, "u")
	for i := range 60 {
		users.add(user(fmt.Sprint("u", i), "A"))
	}
	users.mirror(t, &writer{db: db}, 0, 60)
	for i := range 3 {
		users.add(user(fmt.Sprint("u", i), "B"))
	}
	rival, err := db.sql.BeginTx(t.Context(), db.isolation())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rival.Rollback() }()
	take := func(statement string) {
		t.Helper()
		if _, err := rival.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	company := rows(t, db, "SELECT id FROM companies")[0]
	update := "UPDATE users SET country = 'R' WHERE company_id = " + company + " AND user_id"
	take(update + " > 'u20'") // more rows than the sink has: the sink is the victim
	take(update + " = 'u2'")
	s := start(t, db)
	tail := &log{users.partition, users.records[60:]}
	done := s.mirror(tail)
	eventually(t, func() error { // has u0 and u1, waits for u2
		<-time.After(200 * time.Millisecond) // this table shows what was 100 ms after the last look at it
		if n := rows(t, db, "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"); n[0] == "0" {
			return errors.New("nobody waits")
		}
		return nil
	})
	take(update + " = 'u0'")
	eventually(t, func() error {
		if s.lines.count("Error 1213") == 0 || s.lines.count("Error 1205") == 0 {
			return fmt.Errorf("no deadlock, or no lock that lasts; the log:\n%s", &s.lines)
		}
		return nil
	})
	if err := rival.Commit(); err != nil {
		t.Fatal(err)
	}
	done()
	want(t, db, "SELECT country, COUNT(*) FROM users GROUP BY country ORDER BY country", "A 11", "B 3", "R 46")
	if len(s.rejected.list) != 0 || s.lines.count("level=ERROR") != 0 {
		t.Errorf("rejected %d; the log:\n%s", len(s.rejected.list), &s.lines)
	}
}

func TestMySQL_KilledConnections(t *testing.T) {
	address := emptyMySQL(t)
	db, admin := migrated(t, address), migrated(t, address)
	admin.sql.SetMaxOpenConns(1)
	const n = 200
	coupons, users := streams(n)
	s := start(t, db)
	var all sync.WaitGroup
	all.Go(s.slowly(coupons))
	all.Go(s.slowly(users))
	kills := 0
	eventually(t, func() error {
		for _, id := range rows(t, admin, "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()") {
			if _, err := admin.sql.Exec("KILL CONNECTION " + id); err == nil { // else it is gone already
				kills++
			}
		}
		if got := rows(t, admin, "SELECT COUNT(*) FROM coupons"); kills < 20 && got[0] != fmt.Sprint(n) {
			return fmt.Errorf("%d kills, %s coupons", kills, got[0])
		}
		return nil
	})
	all.Wait()
	holds(t, db, n)
	if s.lines.count("invalid connection") == 0 && s.lines.count("bad connection") == 0 && s.lines.count("nterrupted") == 0 {
		t.Errorf("%d kills hit nothing; the log:\n%s", kills, &s.lines)
	}
	if len(s.rejected.list) != 0 {
		t.Errorf("rejected %+v", s.rejected.list)
	}
}

// TestMySQL_ReadOnlyFailover writes as a user whom read_only binds.
func TestMySQL_ReadOnlyFailover(t *testing.T) {
	address := emptyMySQL(t)
	admin := migrated(t, address)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("tipoff_%x", rand.Uint32())
	exec(t, admin, "CREATE USER "+name+" IDENTIFIED BY 'x'", "GRANT ALL ON "+strings.TrimPrefix(u.Path, "/")+".* TO "+name)
	t.Cleanup(func() { exec(t, admin, "SET GLOBAL read_only = OFF", "DROP USER "+name) })
	u.User = url.UserPassword(name, "x")
	db := migrated(t, u.String())
	coupons, users := streams(200)
	exec(t, admin, "SET GLOBAL read_only = ON")
	before := rows(t, admin, "SHOW STATUS LIKE 'Connections'")
	s := start(t, db)
	one, two := s.mirror(coupons), s.mirror(users)
	s.waits(ReadOnly)
	if said := s.Progress(noon).Trouble.String(); !strings.Contains(said, "it is read-only") || !strings.Contains(said, "DATABASE_URL") {
		t.Errorf("said %q", said)
	}
	eventually(t, func() error { // another server may answer at the same address by now
		if after := rows(t, admin, "SHOW STATUS LIKE 'Connections'"); slices.Equal(before, after) {
			return fmt.Errorf("no connection was made again: %v", after)
		}
		return nil
	})
	exec(t, admin, "SET GLOBAL read_only = OFF")
	one()
	two()
	holds(t, db, 200)
	if errors, ends := s.lines.count("level=ERROR"), s.lines.count("takes rows again"); errors != 1 || ends != 1 || len(s.rejected.list) != 0 {
		t.Errorf("%d errors and %d ends of it logged, %d rejected:\n%s", errors, ends, len(s.rejected.list), &s.lines)
	}
}

func TestMySQL_ABatchLargerThanAPacket(t *testing.T) {
	address := emptyMySQL(t)
	admin := migrated(t, address)
	size := rows(t, admin, "SELECT @@global.max_allowed_packet")[0]
	t.Cleanup(func() { exec(t, admin, "SET GLOBAL max_allowed_packet = "+size) })
	exec(t, admin, "SET GLOBAL max_allowed_packet = 65536")
	db := migrated(t, address)
	users := newLog(topics.Users, "u")
	for i := range 1000 {
		u := tipoff.User{ID: fmt.Sprint("u", i), BirthYear: 1990, Country: "A", Currency: "USD", Gender: "x", RegistrationDate: noon}
		u.Extra = fmt.Appendf(nil, `{"a":%q}`, strings.Repeat("x", 3000))
		users.add(topics.UserRecord("default", u, noon))
	}
	s := start(t, db)
	s.mirror(users)()
	want(t, admin, "SELECT COUNT(*), SUM(LENGTH(extra)) FROM users", fmt.Sprint(1000, 1000*3008))
	if sent := s.lines.count("Error 1153"); len(s.rejected.list) != 0 || sent > 0 { // the server ends the connection over it
		t.Errorf("rejected %d, %d packets were too large for the server", len(s.rejected.list), sent)
	}
}

// surgeon passes a client's statements to the server, and cuts where it is told to.
type surgeon struct {
	net.Listener
	to  string
	mu  sync.Mutex
	cut func(statement []byte) (before, after bool) // the server has it; its answer is known
	all sync.WaitGroup
}

func operate(t *testing.T, to string, cut func([]byte) (before, after bool)) *surgeon {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &surgeon{Listener: l, to: to, cut: cut}
	s.all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			s.all.Go(func() { s.pass(client, server) })
		}
	})
	t.Cleanup(func() { l.Close(); s.all.Wait() })
	return s
}

// pass copies until it cuts both ends, or one of them ends.
func (s *surgeon) pass(client, server net.Conn) {
	var deaf sync.Mutex // held: the answer is not passed on
	back := make(chan struct{})
	answered := make(chan struct{}, 1)
	go func() {
		defer close(back)
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			select {
			case answered <- struct{}{}:
			default:
			}
			deaf.Lock()
			if err == nil {
				_, err = client.Write(buffer[:n])
			}
			deaf.Unlock()
			if err != nil {
				client.Close()
				return
			}
		}
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			break
		}
		s.mu.Lock()
		before, after := s.cut(buffer[:n])
		s.mu.Unlock()
		if before {
			break
		}
		if after {
			deaf.Lock()
			select {
			case <-answered:
			default:
			}
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			break
		}
		if after {
			<-answered
			client.Close()
			deaf.Unlock()
			break
		}
	}
	client.Close()
	server.Close()
	<-back
}

// TestMySQL_CutAnywhere cuts connections before and after statements and COMMITs: of
// some batches nobody can know whether they were committed.
func TestMySQL_CutAnywhere(t *testing.T) {
	address := emptyMySQL(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 6))
	var commits, other int
	way := operate(t, u.Host, func(statement []byte) (before, after bool) {
		commit := bytes.Contains(statement, []byte("\x03COMMIT"))
		switch chance := random.IntN(100); {
		case commit && chance < 5:
			before = true
		case commit && chance < 25:
			after = true
			commits++
		case !commit && chance < 1:
			before = true
			other++
		case !commit && chance < 2:
			after = true
			other++
		}
		return before, after
	})
	u.Host = way.Addr().String()
	admin, db := migrated(t, address), migrated(t, address)
	db.Close()
	if db, err = Open(u.String()); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const n = 60
	coupons, users := streams(n)
	s := start(t, db)
	var all sync.WaitGroup
	all.Go(s.slowly(coupons))
	all.Go(s.slowly(users))
	all.Wait()
	holds(t, admin, n)
	if commits < 10 || other < 2 || len(s.rejected.list) != 0 {
		t.Errorf("%d commits and %d other statements cut, %d rejected", commits, other, len(s.rejected.list))
	}
	s.stop()
}

// TestMySQL_EndsInTimeWhileTheServerSaysNothing: a half-open connection.
func TestMySQL_EndsInTimeWhileTheServerSaysNothing(t *testing.T) {
	address := emptyMySQL(t)
	migrated(t, address)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	silent, heard := make(chan struct{}), make(chan struct{}, 100)
	way := operate(t, u.Host, func(statement []byte) (before, after bool) {
		if bytes.Contains(statement, []byte("FOR UPDATE")) {
			heard <- struct{}{}
			<-silent
		}
		return false, false
	})
	defer close(silent)
	u.Host = way.Addr().String()
	db, err := Open(u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	users := newLog(topics.Users, "u")
	users.add(user("u", "A"))
	s := start(t, db)
	s.mirror(users)
	<-heard
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 5*time.Second { // what the whole process has
		t.Errorf("took %s", took)
	}
}
