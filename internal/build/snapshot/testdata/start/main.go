// A program that has a start and a state: the test calls next after it has continued the program.
package main

import "syscall/js"

var counter = map[string]int{"calls": 0}

func main() {
	js.Global().Get("host").Call("ready", "text", js.FuncOf(next), 42)
	select {}
}

func next(js.Value, []js.Value) any {
	counter["calls"]++
	return counter["calls"]
}
