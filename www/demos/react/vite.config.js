export default {
  base: "./", // the built page works in any folder
  server: { proxy: { "/local.json": "http://localhost:8080" } }, // for "npm run dev", beside "go run serve.go"
};
