//go:build tools

// Package kwok pins the commands that the rig builds from sigs.k8s.io/kwok.
package kwok

import (
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
