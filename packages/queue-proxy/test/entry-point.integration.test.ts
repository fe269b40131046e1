import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { buildEntryPoint, ENTRY_POINT, SidecarProcess } from "./sidecar.ts";

beforeAll(buildEntryPoint, 60_000);

/** Says on stderr what V8 thinks of each cache it is given. */
const WATCHED = `--import data:text/javascript,${encodeURIComponent(`
  import vm from "node:vm";
  vm.Script = class extends vm.Script {
    constructor(...given) {
      super(...given);
      process.stderr.write("rejected: " + this.cachedDataRejected + "\\n");
    }
  };
`)}`;

/** What the image starts Node with. */
function imageFlags(): readonly string[] {
  const dockerfile = readFileSync(resolve(import.meta.dirname, "../../../deploy/images/Dockerfile"), "utf8");
  const stage = dockerfile.slice(dockerfile.indexOf("FROM scratch AS queue-proxy\n"));
  const entryPoint: unknown = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(stage)?.[1] ?? "[]");
  expect(entryPoint).toEqual(expect.arrayContaining(["/app/main.cjs"]));
  return Array.isArray(entryPoint) ? entryPoint.slice(1, -1).map(String) : [];
}

test.each([
  { how: "as it is", flags: [] },
  { how: "with the flags of its image", flags: imageFlags() },
])("Node $how takes the code that was compiled before", async ({ flags }) => {
  await using sidecar = new SidecarProcess({ NODE_OPTIONS: WATCHED }, { flags });
  await sidecar.listens(9090);
  expect(sidecar.stderr).toContain("rejected: false\n");
});

test("Q-2: nothing of the sidecar knows a Kubernetes API, or the account a pod has there", () => {
  const folder = dirname(ENTRY_POINT);
  const bundles = readdirSync(folder).filter((name) => name.endsWith(".cjs"));
  expect(bundles).toContain("main.cjs");
  for (const name of bundles) {
    expect(readFileSync(join(folder, name), "utf8")).not.toMatch(
      /KUBERNETES_SERVICE_HOST|serviceaccount|[`"']\/apis?\/|api\/v1/,
    );
  }
});

test("with other flags, or without what was compiled before, it starts all the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rouse-start-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const file of readdirSync(dirname(ENTRY_POINT)).filter((name) => name.endsWith(".cjs"))) {
    copyFileSync(join(dirname(ENTRY_POINT), file), join(folder, file));
  }
  await using bare = new SidecarProcess({ NODE_OPTIONS: WATCHED }, { main: join(folder, "main.cjs") });
  await bare.listens(9090);
  expect(bare.stderr).toContain("rejected: undefined\n");
  await using flagged = new SidecarProcess({ NODE_OPTIONS: WATCHED }, { flags: ["--no-opt"] });
  await flagged.listens(9090);
  expect(flagged.stderr).toContain("rejected: undefined\n");
});
