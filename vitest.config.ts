import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

const packages = readdirSync(new URL("packages", import.meta.url)).map((name) => `packages/${name}`);

export default defineConfig({
  test: {
    // One for each processor of the smallest machine this is meant for; left to itself it would take one less.
    maxWorkers: 2,
    // Built declarations carry the names of the tests they were built from.
    exclude: ["**/node_modules/**", "**/dist/**"],
    projects: [...packages, "bench", "scripts"].map((root) => ({
      extends: true,
      root,
      test: { name: root },
    })),
  },
});
