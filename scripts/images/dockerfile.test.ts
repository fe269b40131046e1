import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ACTIVATOR_ALLOCATOR, SIDECAR_ALLOCATOR } from "@rouse/shared/testing";
import { validate } from "dockerfile-utils";
import { expect, test } from "vitest";
import { buildable } from "../build/bundle.ts";
import { PROCESS_FLAGS } from "../build/process-flags.ts";
import { imageStages } from "./dockerfile.ts";
import { places, USER } from "./image-tree.ts";

const root = resolve(import.meta.dirname, "../..");
const text = readFileSync(join(root, "deploy/images/Dockerfile"), "utf8");
const stages = imageStages(text);

test("the linter has nothing to say about the Dockerfile", () => {
  expect(validate(text)).toEqual([]);
  expect(validate("FROM scratch\nENTRYPONT [ '/x' ]\n")).not.toEqual([]); // it does look
});

test("every program a cluster runs has an image", () => {
  const home = ["cli", "gateway"]; // the gateway is no pod of these manifests
  const programs = buildable(root).filter((name) => !home.includes(name));
  expect(stages.map(({ name }) => name).sort()).toEqual(expect.arrayContaining(programs));
});

test.each(stages.map((stage) => [stage.name, stage] as const))(
  "%s: nothing but its own files, a numeric user, a program that is there (Q-164, Q-165)",
  (name, { user, entrypoint, brings }) => {
    expect(brings).toEqual([`COPY --from=${name}-files /image /`]);
    expect(user).toBe(`${USER}:${USER}`);
    expect(entrypoint[0]).toBe(places.node);
    // What V8 compiled before is taken up with the very flags it was compiled under.
    expect(entrypoint.slice(1, -1)).toEqual(PROCESS_FLAGS[name] ?? []);
    expect(entrypoint.at(-1)).toBe(`${places.app}/main.cjs`);
    expect(text).toContain(
      `FROM sources AS ${name}-files\nRUN node_modules/.bin/node scripts/image.ts ${name} /image\n`,
    );
  },
);

test.each([
  { image: "queue-proxy", allocator: SIDECAR_ALLOCATOR },
  { image: "activator", allocator: ACTIVATOR_ALLOCATOR },
])("$image: its allocator is set as it was measured", ({ image, allocator }) => {
  expect(stages.find(({ name }) => name === image)?.environment).toEqual(allocator);
});

test("the build is given what it is made from, and no test, dependency or other folder", () => {
  const lines = readFileSync(join(root, "deploy/images/Dockerfile.dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines[0]).toBe("*");
  expect(lines).toEqual(expect.arrayContaining(["**/node_modules", "**/dist", "**/test", "**/*.test.ts"]));
});
