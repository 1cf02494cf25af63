import vue from "@vitejs/plugin-vue";

export default {
  plugins: [vue()],
  base: "./", // the built page works in any folder
  server: { proxy: { "/local.json": "http://localhost:8080" } }, // for "npm run dev", beside "go run serve.go"
};
