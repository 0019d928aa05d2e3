package node

import (
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// Version is what program this is.
type Version struct {
	Version string // "(devel)": it was not built from a version
	Commit  string // "unknown": it was not built in a repository
	Go      string
}

// ThisVersion reads what the Go command has written into the program.
func ThisVersion() Version {
	v := Version{Version: "(devel)", Commit: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	modified := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", changed"
		}
	}
	v.Commit += modified
	return v
}

// versionCollector says on /metrics what program this is.
func versionCollector(v Version) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "tipoff_build_info",
		Help:        "1; the labels say what program this is.",
		ConstLabels: prometheus.Labels{"version": v.Version, "commit": v.Commit, "goversion": v.Go},
	}, func() float64 { return 1 })
}
