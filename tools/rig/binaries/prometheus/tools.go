//go:build tools

// Package prometheus pins the commands that the rig builds from github.com/prometheus/prometheus.
package prometheus

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
)
