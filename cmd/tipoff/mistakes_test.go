package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tipoff/blackbox"
)

func TestGenerate_SaysAtOnceThatNobodyIsThere(t *testing.T) {
	t.Parallel()
	url := "http://" + freeAddress(t)
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"generate 1", "generate --realistic", "replay " + log} {
		out, err := said(t, append(strings.Fields(args), "--url="+url)...)
		if err == nil || !strings.Contains(err.Error(), url) || !strings.Contains(err.Error(), "--url") {
			t.Errorf("%s: %v, %s", args, err, out)
		}
		if out != "" {
			t.Errorf("%s began: %s", args, out)
		}
	}
}

func TestRun_NamesTheSettingAndAFreePortWhereItsAddressIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = said(t, "processors", "--kafka="+freeAddress(t), "--addr="+taken.Addr().String())
	if err == nil {
		t.Fatal("listens on an address that is taken")
	}
	free := regexp.MustCompile(`TIPOFF_ADDR=(127\.0\.0\.1:\d+)$`).FindStringSubmatch(err.Error())
	if free == nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", free[1])
	if err != nil {
		t.Fatalf("%s is not free: %v", free[1], err)
	}
	_ = l.Close()
}

func TestTopics_AlterChangesHowLongRecordsStay(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := []string{"TIPOFF_DATA=" + folder}
	p := launch(t, env).ready()
	at := "--data=" + folder
	for _, life := range []string{"running", "stopped"} {
		longer := map[string]string{"running": "--retention=800h", "stopped": "--retention=24h"}[life]
		if _, err := said(t, "topics", at, longer); err == nil || !strings.Contains(err.Error(), "tipoff topics --alter") {
			t.Errorf("%s: %v", life, err)
		}
		wantSaid(t, "all topics are as the settings say", "topics", at, longer, "--alter")
		wantSaid(t, "all topics are as the settings say", "topics", at, longer)
		if out, err := said(t, "topics", at, longer, "--alter", "--partitions=16"); err == nil || !strings.Contains(err.Error(), "number of partitions is 4") {
			t.Errorf("%s: other partitions: %v, %s", life, err, out)
		}
		if life == "running" {
			p.stop()
		}
	}
}

func TestAccessLog_IsOffUnlessItIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		env := []string{"TIPOFF_DATA=" + t.TempDir()}
		if on {
			env = append(env, "TIPOFF_ACCESS_LOG=true")
		}
		p := launch(t, env).ready()
		s := &blackbox.Service{T: t, URL: p.url}
		s.Post("/v1/events", 202, s.Event("e", "A"))
		p.stop()
		if logged := strings.Contains(p.printed(), `"route":"/v1/events"`); logged != on {
			t.Errorf("asked for %v: printed %s", on, p.printed())
		}
	}
}
