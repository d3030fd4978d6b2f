import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const backend = process.env.PLAYGROUND_BACKEND ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [svelte()],
  // Relative addresses: the built page works below any root path.
  base: "./",
  build: {
    outDir: "../backend/playground/web/static",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    rollupOptions: { input: "src/main.ts" },
  },
  server: {
    proxy: { "/api": { target: backend, ws: true } },
    // The translations are the server's as well.
    fs: { allow: [".", "../backend/playground/i18n"] },
  },
  test: { include: ["src/**/*.test.ts"] },
});
