// Command efferent sends an organisation's outbound traffic: it runs all of
// Efferent in one process (dev), and works with a running one.
package main

import "github.com/efferent/efferent/cmd/efferent/commandline"

func main() { commandline.Main() }
