// These are the flags that Vue's plugin for Vite sets. Without a flag, Vue prints a warning.
export default {
  define: { __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true" },
};
