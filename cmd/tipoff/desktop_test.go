package main

import (
	"slices"
	"testing"
)

func TestOpenCommand_IsOneOnlyWhereSomebodySeesThePage(t *testing.T) {
	const url = "http://127.0.0.1:5000/console"
	for name, c := range map[string]struct {
		system   string
		terminal bool
		env      map[string]string
		want     []string
	}{
		"a desktop":               {"linux", true, map[string]string{"DISPLAY": ":0"}, []string{"xdg-open", url}},
		"a desktop of Wayland":    {"linux", true, map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, []string{"xdg-open", url}},
		"macOS":                   {"darwin", true, nil, []string{"open", url}},
		"Windows":                 {"windows", true, nil, []string{"rundll32", "url.dll,FileProtocolHandler", url}},
		"no desktop":              {"linux", true, nil, nil},
		"no terminal":             {"linux", false, map[string]string{"DISPLAY": ":0"}, nil},
		"continuous integration":  {"linux", true, map[string]string{"DISPLAY": ":0", "CI": "true"}, nil},
		"macOS without a person":  {"darwin", false, nil, nil},
		"macOS being integrated":  {"darwin", true, map[string]string{"CI": "1"}, nil},
		"Windows without persons": {"windows", false, nil, nil},
	} {
		if got := openCommand(c.system, c.terminal, func(name string) string { return c.env[name] }, url); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
