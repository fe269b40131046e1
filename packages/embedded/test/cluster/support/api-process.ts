import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  isKubeError,
  type KubeClient,
  NamespaceKind,
  RealClock,
  RealRandom,
  SYSTEM_NAMESPACE,
  silentLogger,
} from "@rouse/shared";
import { ApiServer } from "../../../src/api-server/api-server.ts";
import { ApiHandler } from "../../../src/api-server/wire/api-handler.ts";
import { ApiListener } from "../../../src/api-server/wire/api-listener.ts";
import { openApiAccess, writeKubeconfig } from "../../../src/home/api-access.ts";
import { UsedVerbs } from "./used-verbs.ts";

/**
 * The API server of a test's cluster, as a process of its own: every kind on the disk, so that it may be killed and
 * started again. Argument: its directory. Says `ready` once it listens; writes who used which verbs to `verbs.json`.
 */
const [directory = ""] = process.argv.slice(2);
const VERBS_MS = 250;

const clock = new RealClock();
const random = new RealRandom();
const api = await ApiServer.start(
  { clock, random, log: silentLogger },
  { dataDir: directory, keepsAll: true },
);
await createNamespace(api.client);

const handler = new ApiHandler({
  store: api.store,
  clock,
  random,
  log: silentLogger,
  podOutput: {
    lines: () => undefined,
    previous: () => undefined,
    follow: () => ({ [Symbol.dispose]: () => {} }),
  },
  durable: () => api.durable(),
});
const verbsFile = join(directory, "verbs.json");
const verbs = UsedVerbs.parse(textOf(verbsFile));
const access = await openApiAccess({ clock, random }, directory);
const listener = await ApiListener.start(
  {
    handler: {
      handle: (request) => {
        verbs.saw(request.header("user-agent") ?? "", request.method, request.url);
        return handler.handle(request);
      },
    },
    log: silentLogger,
  },
  { kind: "loopback", ip: "127.0.0.1", port: access.lastPort ?? 0, tls: access.tls, token: access.token },
);
const kubeconfig = await writeKubeconfig(directory, { ...access, port: listener.port });
const keepVerbs = (): void => {
  if (verbs.takeNews()) writeFileSync(verbsFile, verbs.text());
  clock.after(VERBS_MS, keepVerbs);
};
keepVerbs();
process.send?.({ ready: kubeconfig });

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "{}";
  }
}

async function createNamespace(client: KubeClient): Promise<void> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: SYSTEM_NAMESPACE } };
  try {
    await client.create(NamespaceKind, namespace);
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
}
