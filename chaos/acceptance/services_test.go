package acceptance

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	_ "github.com/go-sql-driver/mysql"

	"tipoff/topics"
)

// services are a real Kafka and a real MySQL, emptied for a test.
type services struct {
	*testing.T
	kafka    string
	database string // mysql://... of a database created for this test
	admin    sarama.ClusterAdmin
	sql      *sql.DB
}

// required fails the test where everything must be there, and skips it elsewhere.
func required(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("TIPOFF_TEST_SERVICES") == "required" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// realServices skips the test where there are none: TIPOFF_TEST_KAFKA and
// TIPOFF_TEST_DATABASE name them. The cluster's topics are deleted: do not name one
// that anybody uses.
func realServices(t *testing.T) *services {
	t.Helper()
	s := &services{T: t, kafka: os.Getenv("TIPOFF_TEST_KAFKA")}
	database := os.Getenv("TIPOFF_TEST_DATABASE")
	if s.kafka == "" || database == "" {
		required(t, "no real services: set TIPOFF_TEST_KAFKA and TIPOFF_TEST_DATABASE (make services starts both)")
	}
	config := sarama.NewConfig()
	config.Version = sarama.V3_0_0_0
	var err error
	if s.admin, err = sarama.NewClusterAdmin(strings.Split(s.kafka, ","), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.admin.Close() })
	s.deleteTopics()
	s.deleteGroups()
	s.createDatabase(database)
	return s
}

func (s *services) deleteTopics() {
	s.Helper()
	eventually(s.T, 30*time.Second, func() error {
		existing, err := s.admin.ListTopics()
		if err != nil {
			return err
		}
		left := 0
		for name := range existing {
			if strings.HasPrefix(name, "tipoff-") || slices.Contains(topics.Facts(), name) {
				left++
				if err := s.admin.DeleteTopic(name); err != nil && !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
					return err
				}
			}
		}
		if left > 0 {
			return fmt.Errorf("%d topics are still there", left)
		}
		return nil
	})
}

// deleteGroups waits for members that were killed until their sessions end.
func (s *services) deleteGroups() {
	s.Helper()
	groups, err := s.admin.ListConsumerGroups()
	if err != nil {
		s.Fatal(err)
	}
	for group := range groups {
		if strings.HasPrefix(group, "tipoff-") {
			eventually(s.T, 30*time.Second, func() error {
				if err := s.admin.DeleteConsumerGroup(group); !errors.Is(err, sarama.ErrGroupIDNotFound) {
					return err
				}
				return nil
			})
		}
	}
}

func (s *services) createDatabase(address string) {
	s.Helper()
	u, err := url.Parse(address)
	if err != nil {
		s.Fatal(err)
	}
	password, _ := u.User.Password()
	server := fmt.Sprintf("%s:%s@tcp(%s)/", u.User.Username(), password, u.Host)
	admin, err := sql.Open("mysql", server)
	if err != nil {
		s.Fatal(err)
	}
	name := fmt.Sprintf("tipoff_test_%x", rand.Uint64())
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		s.Fatal(err)
	}
	u.Path = "/" + name
	s.database = u.String()
	if s.sql, err = sql.Open("mysql", server+name); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_, err := admin.Exec("DROP DATABASE " + name)
		if err := errors.Join(err, s.sql.Close(), admin.Close()); err != nil {
			s.Error(err)
		}
	})
}

// wantCount waits until a query returns a number.
func (s *services) wantCount(query string, want int) {
	s.Helper()
	eventually(s.T, 60*time.Second, func() error {
		var n int
		if err := s.sql.QueryRow(query).Scan(&n); err != nil || n != want {
			return fmt.Errorf("%s: %d, want %d: %v", query, n, want, err)
		}
		return nil
	})
}
