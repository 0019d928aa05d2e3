package doctor

import (
	"cmp"
	"os"
	"strings"
)

// where are the words of a command that lead it to the same broker, folder and layout as
// this examination: what the environment and .env say they have from there themselves.
// Passwords are never among them.
func (e *examination) where(names ...string) (flags []string) {
	for _, name := range names {
		f := e.flag(name)
		if f.value != "" && f.value != cmp.Or(os.Getenv(f.variable), f.usual) {
			flags = append(flags, "--"+name+"="+f.value)
		}
	}
	return flags
}

// flag is a setting as it stands on the command line.
type flag struct{ variable, usual, value string }

func (e *examination) flag(name string) flag {
	switch name {
	case "kafka":
		return flag{"KAFKA_BOOTSTRAP_SERVERS", "", e.Brokers}
	case "kafka-security-protocol":
		return flag{"KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", e.SecurityProtocol}
	case "kafka-ssl-ca-location":
		return flag{"KAFKA_SSL_CA_LOCATION", "", e.CALocation}
	case "data":
		return flag{"TIPOFF_DATA", "./data", e.Data}
	case "database-url":
		if strings.HasPrefix(e.DatabaseURL, "sqlite:") { // others hold a password
			return flag{"DATABASE_URL", os.Getenv("SQLALCHEMY_DATABASE_URI"), e.DatabaseURL}
		}
	case "partitions":
		return flag{"TIPOFF_PARTITIONS", "0", number(e.Partitions)}
	case "replication":
		return flag{"TIPOFF_REPLICATION", "0", number(e.Replication)}
	case "retention":
		return flag{"TIPOFF_RETENTION", "720h", hours(e.Retention)}
	}
	return flag{}
}

// atBroker are the flags by which a command reaches the same broker.
var atBroker = []string{"kafka", "kafka-security-protocol", "kafka-ssl-ca-location", "data", "partitions", "replication", "retention"}

// topicsCommand is `tipoff topics` with more words.
func (e *examination) topicsCommand(more ...string) []string {
	return append(append([]string{"tipoff", "topics"}, more...), e.where(atBroker...)...)
}

// rebuildCommand is `tipoff rebuild`.
func (e *examination) rebuildCommand() []string {
	return append([]string{"tipoff", "rebuild"}, e.where(append(atBroker, "database-url")...)...)
}

// migrateCommand is `tipoff migrate`.
func (e *examination) migrateCommand() []string {
	return append([]string{"tipoff", "migrate"}, e.where("data", "database-url")...)
}

// roleCommand starts a process.
func (e *examination) roleCommand(role string) []string {
	flags := atBroker
	if role != "run" && role != "sink" {
		flags = []string{"kafka", "kafka-security-protocol", "kafka-ssl-ca-location", "partitions", "replication", "retention"}
	}
	return append([]string{"tipoff", role}, e.where(flags...)...)
}

// words is a command as one types it.
func words(command []string) string {
	quoted := make([]string, len(command))
	for i, word := range command {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}

// quote protects a word from the shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@+%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
