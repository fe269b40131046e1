import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import {
  ConfigMapKind,
  HttpKubeClient,
  Informer,
  isKubeError,
  parseServerUrl,
  RealClock,
  SeededRandom,
} from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { serveApi } from "./support/serve-api.ts";

const namespace = "default";
const NAMES = 12;
const CHANGES = 300;

/** What the official client reads, by name. */
async function oracle(api: CoreV1Api, labelSelector: string): Promise<ReadonlyMap<string, string>> {
  const { items } = await api.listNamespacedConfigMap({ namespace, labelSelector });
  return new Map(
    items.map(({ metadata, data }) => [metadata?.name ?? "", `${metadata?.resourceVersion} ${data?.n}`]),
  );
}

test.each([1, 2, 3])(
  "a cache over the wire holds what the official client lists, whatever happened in between: seed %i",
  async (seed) => {
    await using served = await serveApi();
    const clock = new RealClock();
    const random = new SeededRandom(seed);
    const clientOf = (): HttpKubeClient =>
      new HttpKubeClient({
        clock,
        random,
        server: {
          ...parseServerUrl(served.url),
          tls: { ca: served.ca },
          authorization: () => `Bearer ${served.token}`,
        },
      });
    using client = clientOf();
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: "c", server: served.url, caData: Buffer.from(served.ca).toString("base64") }],
      users: [{ name: "u", token: served.token }],
      contexts: [{ name: "x", cluster: "c", user: "u" }],
      currentContext: "x",
    });
    const official = config.makeApiClient(CoreV1Api);
    const watched = clientOf();
    onTestFinished(() => watched[Symbol.dispose]());
    const deps = { client: watched, clock, random };
    using web = new Informer(deps, ConfigMapKind, { namespace, labelSelector: "tier=web" });
    using all = new Informer(deps, ConfigMapKind, { namespace });
    await Promise.all([web.start(), all.start()]);
    for (let n = 0; n < CHANGES; n++) {
      const name = `map-${random.integer(0, NAMES - 1)}`;
      const labels = { tier: random.chance(0.5) ? "web" : "db" };
      const object = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { namespace, name, labels },
        data: { n: String(n) },
      };
      try {
        if (random.chance(0.2)) await client.delete(ConfigMapKind, { namespace, name });
        else if (random.chance(0.5)) await client.update(ConfigMapKind, object);
        else await client.create(ConfigMapKind, object);
      } catch (error) {
        if (!isKubeError(error, "NotFound") && !isKubeError(error, "AlreadyExists")) throw error;
      }
    }
    for (const [informer, selector] of [
      [web, "tier=web"],
      [all, ""],
    ] as const) {
      const want = await oracle(official, selector);
      await expect
        .poll(
          () =>
            new Map(
              [...informer.list()].map(({ metadata, data }) => [
                metadata.name,
                `${metadata.resourceVersion} ${data?.n}`,
              ]),
            ),
        )
        .toEqual(want);
    }
  },
);
