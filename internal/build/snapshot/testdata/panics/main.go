// A program whose start panics.
package main

func main() { panic("no start") }
