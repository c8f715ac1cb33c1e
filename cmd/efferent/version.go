package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by the release build; otherwise Go's own build information
// tells.
var version string

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Println("efferent", currentVersion())
	return nil
}

func currentVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
