// This script stores the names of the globals before the classic script runs.
document.currentScript.names = Object.getOwnPropertyNames(globalThis);
