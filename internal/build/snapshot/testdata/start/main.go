// A program that calls a JavaScript function at its start, and then waits for calls from JavaScript.
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
