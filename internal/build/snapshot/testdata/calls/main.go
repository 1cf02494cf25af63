// A program that uses the result of a JavaScript function.
package main

import "syscall/js"

func main() {
	js.Global().Call("parseInt", "1")
	select {}
}
