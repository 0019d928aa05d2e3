package doctor

import "fmt"

const areaLimits = "limits"

// How many files a process is to be allowed to have open: a gateway takes one a connection,
// and leaves 512 to Kafka, the database and the embedded broker's log.
const (
	filesUsual = 8 << 10
	filesWrong = 1 << 10
)

// checkLimits sees how many files a process that this user starts here may have open. Go
// raises what is allowed at a start to the most that may be (the hard limit).
func (e *examination) checkLimits() { e.report.add(judgeFiles(openFiles())) }

func judgeFiles(files uint64) Check {
	c := Check{Area: areaLimits, Name: "open files", State: OK, Detail: fmt.Sprintf("%d a process", files)}
	switch {
	case files == 0:
		c.State, c.Detail = Skipped, "this system does not say how many files may be open"
		return c
	case files < filesWrong:
		c.State, c.Detail = Wrong, c.Detail+": clients soon find no connection to a gateway"
	case files < filesUsual:
		c.State, c.Detail = Warning, fmt.Sprintf("%s: a gateway serves some %s connections", c.Detail, grouped(int64(files)-512))
	default:
		return c
	}
	c.Advice = []Advice{{Do: "raise the hard limit: LimitNOFILE=65536 under systemd, ulimits in Compose, nofile in /etc/security/limits.conf for those who log in; this says what it is:",
		Command: []string{"sh", "-c", "ulimit -Hn"}}}
	return c
}
