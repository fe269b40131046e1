import { expect, test } from "vitest";
import { Failure } from "../failure.ts";
import { socketPath } from "./socket-path.ts";

const deep = `/${"x".repeat(40)}`.repeat(3);

test.each([
  { dataDir: ".rouse", cwd: "/srv", path: "/srv/.rouse/api.sock" },
  { dataDir: "/var/lib/rouse", cwd: "/srv", path: "/var/lib/rouse/api.sock" },
  { dataDir: ".rouse", cwd: deep, path: ".rouse/api.sock" },
])("the socket of $dataDir seen from $cwd is $path", ({ dataDir, cwd, path }) => {
  expect(socketPath(dataDir, cwd)).toBe(path);
});

test("a path that cannot be a socket is said to be too long", () => {
  expect(() => socketPath(deep, "/srv")).toThrow(Failure);
});
