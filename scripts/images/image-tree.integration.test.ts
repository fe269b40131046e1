import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { probeValues } from "@rouse/shared";
import { SIDECAR_ENVIRONMENT } from "@rouse/shared/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { ask, ContainedProcess, canContain } from "./contained-process.ts";
import { places, USER } from "./image-tree.ts";
import { imageTree, KUBELET, ownIp, readyAnswer, startImage } from "./running-image.ts";

const TEST_MS = 60_000;

function owned(): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  return stack;
}

describe.skipIf(!canContain())("as another user, on a read-only root", () => {
  test.each([
    { user: USER, whose: "its own" },
    { user: 1_000_650_000, whose: "one a platform made up" },
  ])(
    "Q-164, Q-165: the sidecar of an image answers its readiness probe as $whose user",
    async ({ user }) => {
      const program = createServer((_, response) => response.end("hello"));
      await new Promise<void>((done) => program.listen(0, "127.0.0.1", done));
      onTestFinished(() => void program.close());
      const address: AddressInfo | string | null = program.address();
      const userPort = typeof address === "object" && address !== null ? address.port : 0;
      const ip = ownIp();
      const environment = {
        ...SIDECAR_ENVIRONMENT,
        CONTAINER_CONCURRENCY: "0",
        USER_PORT: String(userPort),
        SERVING_POD_IP: ip,
        SERVING_READINESS_PROBE: `{"tcpSocket":{"port":${userPort},"host":"127.0.0.1"}}`,
        ROUSE_LISTEN_IP: ip,
      };
      const started = await startImage("queue-proxy", { environment, user }, owned());
      const asked = { "K-Network-Probe": probeValues.queue, ...KUBELET };
      expect(await readyAnswer(started, { ip, port: 8012 }, asked)).toBe("queue");
      expect((await ask({ ip, port: 8012 }, {}))?.body).toBe("hello");
    },
    TEST_MS,
  );

  test(
    "what stands in an image is its program, and nothing writes there",
    async () => {
      const { tree } = await imageTree("controller", owned());
      expect(readdirSync(join(tree, places.app))).toEqual(["main.cjs"]);
      expect(readdirSync(tree).sort()).toEqual(
        expect.arrayContaining(["app", "dev", "etc", "lib", "nodejs", "proc", "sys", "usr"]),
      );
      const write =
        'try { require("fs").writeFileSync("/app/x", "") } catch (e) { console.log(process.getuid(), e.code) }';
      const started = new ContainedProcess({ tree, command: [places.node, "-e", write], environment: {} });
      expect(await started.exited).toBe(0);
      expect(started.output).toBe(`${USER} EROFS\n`);
    },
    TEST_MS,
  );
});

test.each([
  { program: "activator", others: ["ws"] },
  { program: "autoscaler", others: ["ws", "croner"] },
  { program: "controller", others: [] },
  { program: "queue-proxy", others: ["@opentelemetry/api"] },
])(
  "the bill of materials of $program meets its schema and names what it holds of others: $others",
  async ({ program, others }) => {
    const schema = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    const { tree } = await imageTree(program, owned());
    const text = readFileSync(join(tree, places.sbom), "utf8");
    expect(await schema.validate(text)).toBeNull();
    const names = JSON.parse(text).components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["node", ...others]));
    const libraries = names.filter((name: string) => name.startsWith("/"));
    expect(libraries).toContainEqual(expect.stringMatching(/\/libc\.so/));
  },
  TEST_MS,
);
