// Package broker is the edge to Kafka: how clients are configured, which topics
// there are and how they are kept, how facts are published, and how goka's
// processors and views are run so that they come back after any failure.
//
// The cluster is Apache Kafka, or one broker embedded in this process. Nothing
// outside this package knows which.
package broker
