package main

import (
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"tipoff/doctor"
	"tipoff/topics"
)

// TestServices_DoctorFindsAndMendsOnRealKafkaAndMySQL breaks topics and schema of real
// servers, and follows what the doctor advises.
func TestServices_DoctorFindsAndMendsOnRealKafkaAndMySQL(t *testing.T) {
	s := realServices(t)
	at := []string{"--kafka=" + s.kafka, "--database-url=" + s.database, "--watch=0"}
	r := examined(t, at...)
	wantCheck(t, r, "broker", "versions", doctor.OK, "Kafka v")
	wantCheck(t, r, "database", "schema", doctor.Warning, "there is none yet")
	wantCheck(t, r, "database", "commits", doctor.OK)
	wantCheck(t, r, "clocks", "database", doctor.OK)
	follow(t, wantCheck(t, r, "topics", "there", doctor.Wrong, topics.Coupons))
	if _, err := said(t, "migrate", "--database-url="+s.database); err != nil {
		t.Fatal(err)
	}
	for _, broken := range []struct{ setting, value, check string }{
		{"retention.ms", "3600000", "settings"}, {"min.insync.replicas", "2", "settings"}, {"unclean.leader.election.enable", "true", "elections"},
	} {
		err := s.admin.IncrementalAlterConfig(sarama.TopicResource, topics.Coupons, map[string]sarama.IncrementalAlterConfigsEntry{
			broken.setting: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &broken.value},
		}, false)
		if err != nil {
			t.Fatal(err)
		}
		follow(t, wantCheck(t, examined(t, at...), "topics", broken.check, doctor.Wrong, topics.Coupons))
		wantCheck(t, examined(t, at...), "topics", broken.check, doctor.OK)
	}
	p := launch(t, s.env()).ready()
	facts(t, p)
	r = examined(t, append(at, "--addr="+strings.TrimPrefix(p.url, "http://"))...)
	wantCheck(t, r, "database", "schema", doctor.OK)
	wantCheck(t, r, "positions", "log ends", doctor.OK)
	wantCheck(t, r, "positions", "database", doctor.OK, "records that the logs have")
	wantCheck(t, r, "clocks", "broker", doctor.OK, "as this machine's")
	wantCheck(t, r, "versions", "tables", doctor.OK)
	wantCheck(t, r, "process", "ready", doctor.OK)
	if r.Count(doctor.Wrong)+r.Count(doctor.Unknown) > 0 {
		t.Errorf("%+v", r.Checks)
	}
	if _, err := s.sql.Exec("DELETE FROM schema_versions WHERE version_id > 1"); err != nil {
		t.Fatal(err)
	}
	wantCheck(t, examined(t, at...), "database", "schema", doctor.Wrong, "version 1", "tipoff migrate")
}
