// Command prints prints in every way that Go offers, and panics.
package main

import "os"

func main() {
	print("by the ", "runtime\n")
	_, _ = os.Stderr.WriteString("by os\n")
	if _, err := os.Open("/nothing"); err != nil {
		println(err.Error())
	}
	panic("at last")
}
