//go:build tools

// Package helm pins the commands that the rig builds from helm.sh/helm/v4.
package helm

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
