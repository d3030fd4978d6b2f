// One file that a notebook loads from the kernel: `python hatch_build.py` builds it beside the page.
import { defineConfig } from "vite";

/** Keys of the few words that it says. */
const SAID = /^(notebook\..*|top\.(play|pause|epoch)|curves\.(loss|train|test))$/;

export default defineConfig({
  plugins: [
    {
      name: "few-words",
      enforce: "pre",
      transform: (code, id) =>
        /\/i18n\/\w+\.json$/.test(id)
          ? JSON.stringify(
              Object.fromEntries(Object.entries(JSON.parse(code)).filter(([key]) => SAID.test(key))),
            )
          : null,
    },
  ],
  build: {
    outDir: "../backend/playground/web/static/notebook",
    emptyOutDir: true,
    target: "es2022",
    lib: { entry: "src/notebook/widget.ts", formats: ["es"], fileName: () => "widget.js" },
  },
});
