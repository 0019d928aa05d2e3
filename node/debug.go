package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Bounds of the address for profiles.
const (
	mostProfiles     = 4       // made at a time
	mostDebugClients = 16      // connections
	mostDebugBytes   = 8 << 10 // of a request's headers
	longestProfile   = 2 * time.Minute
	debugPatience    = 5 * time.Second // for a request's headers
	debugIdle        = 30 * time.Second
)

// startDebug serves /debug/pprof on an address of its own, where the settings name one.
// It asks for no key: who reaches the address can slow the process down, and see its
// stacks.
func (n *Node) startDebug() error {
	address := n.settings.DebugAddr
	if address == "" {
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("TIPOFF_DEBUG_ADDR: %w: set it to a free HOST:PORT of this machine, as 127.0.0.1:6060, or leave it out", err)
	}
	at, _ := listener.Addr().(*net.TCPAddr)
	alone := at != nil && at.IP.IsLoopback()
	url := "http://" + listener.Addr().String() + "/debug/pprof/"
	if alone {
		n.log.Info("profiles are served", "profiles", url)
	} else {
		n.log.Warn("profiles are served to whoever reaches this address, without a key, and each slows the process down: "+
			"set TIPOFF_DEBUG_ADDR to an address of 127.0.0.1, and come through a tunnel", "profiles", url)
	}
	n.serveDebug(listener, alone)
	return nil
}

// serveDebug serves until the node ends, which also ends the profiles under way.
func (n *Node) serveDebug(listener net.Listener, alone bool) {
	underWay, cancel := context.WithCancel(context.Background())
	var clients atomic.Int64
	server := &http.Server{
		Handler:           profiles(alone),
		ReadHeaderTimeout: debugPatience, ReadTimeout: debugPatience, WriteTimeout: longestProfile, IdleTimeout: debugIdle,
		MaxHeaderBytes: mostDebugBytes,
		BaseContext:    func(net.Listener) context.Context { return underWay },
		ConnState: func(conn net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				if clients.Add(1) > mostDebugClients {
					_ = conn.Close()
				}
			case http.StateClosed:
				clients.Add(-1)
			}
		},
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	n.onEnd("profiles", func() error {
		cancel()
		ending, give := context.WithTimeout(context.Background(), time.Second)
		defer give()
		if server.Shutdown(ending) != nil { // a client does not read
			_ = server.Close()
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// profiles makes profiles, some at a time. The command line is not shown, as it may hold
// keys. alone: a browser's pages of other sites are refused, by whatever name they call
// this machine.
func profiles(alone bool) http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /debug/pprof/", pprof.Index)
	routes.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	routes.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	routes.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	room := make(chan struct{}, mostProfiles)
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if site := q.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" || alone && !loopbackName(q.Host) {
			http.Error(w, "pages of other sites make no profiles: call this address as localhost or 127.0.0.1", http.StatusForbidden)
			return
		}
		if seconds := q.URL.Query().Get("seconds"); seconds != "" {
			if asked, err := strconv.ParseFloat(seconds, 64); err != nil || !(asked >= 0 && asked <= longestProfile.Seconds()) {
				http.Error(w, fmt.Sprintf("seconds: must be a number from 0 to %.0f", longestProfile.Seconds()), http.StatusBadRequest)
				return
			}
		}
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
			routes.ServeHTTP(w, q)
		default:
			http.Error(w, fmt.Sprintf("%d profiles are being made: try again when one is done", mostProfiles), http.StatusServiceUnavailable)
		}
	})
}

// loopbackName says whether a request's host names this machine alone.
func loopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
