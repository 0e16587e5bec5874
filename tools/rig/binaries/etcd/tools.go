//go:build tools

// Package etcd pins the commands that the rig builds from go.etcd.io/etcd/server/v3.
package etcd

import (
	_ "go.etcd.io/etcd/server/v3"
)
