// The names of the globals, before the classic script has come.
document.currentScript.names = Object.getOwnPropertyNames(globalThis);
