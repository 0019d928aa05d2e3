package bench

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine is where a run was.
type Machine struct {
	System string `json:"system"`          // operating system and architecture
	CPU    string `json:"cpu,omitzero"`    // model; "": not known here
	Cores  int    `json:"cores"`           // that the process may use
	Memory int64  `json:"memory,omitzero"` // bytes; 0: not known here
	Go     string `json:"go"`
}

func (m Machine) String() string {
	text := fmt.Sprintf("%s, %d cores", m.System, m.Cores)
	if m.CPU != "" {
		text += " of " + m.CPU
	}
	if m.Memory > 0 {
		text += fmt.Sprintf(", %.1f GiB", float64(m.Memory)/(1<<30))
	}
	return text + ", " + m.Go
}

// thisMachine describes where the process runs, its processor and memory as Linux says
// them.
func thisMachine() Machine {
	m := Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.GOMAXPROCS(0), Go: runtime.Version()}
	m.CPU = valueIn("/proc/cpuinfo", "model name")
	m.Memory = kibibytes(valueIn("/proc/meminfo", "MemTotal"))
	return m
}

// valueIn is what a file of lines "name: value" says first of a name; "": nothing.
func valueIn(path, name string) string {
	file, err := os.Open(path)
	if err != nil { // not Linux
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if found, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(found) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kibibytes reads "123 kB", and returns bytes; 0: it says something else.
func kibibytes(text string) int64 {
	number, ok := strings.CutSuffix(text, " kB")
	if !ok {
		return 0
	}
	n, _ := strconv.ParseInt(number, 10, 64)
	return n << 10
}
