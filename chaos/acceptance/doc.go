// Package acceptance tests the whole program with what the module of Tipoff itself
// does without: a real browser, the loader of Docker Compose, and proxies that cut
// connections. It holds tests alone.
package acceptance
