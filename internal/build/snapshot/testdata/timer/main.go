// A program whose start waits for a timer.
package main

import "time"

func main() { time.Sleep(time.Second) }
