import {
  ConfigMapKind,
  InProcessKubeClient,
  type LogFields,
  ObjectStore,
  SeededRandom,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { SystemSettings } from "./system-settings.ts";

const namespace = "knative-serving";
const place = { namespace, logging: "config-logging", observability: "config-observability" };

function setUp(areRequired = true) {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  const warnings: (LogFields | undefined)[] = [];
  const log = { ...silentLogger, warn: (_: string, fields?: LogFields) => void warnings.push(fields) };
  const put = async (name: string, data: Record<string, string> = {}): Promise<void> => {
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name }, data };
    const known = await client.get(ConfigMapKind, { namespace, name }).catch(() => undefined);
    await (known === undefined ? client.create(ConfigMapKind, map) : client.update(ConfigMapKind, map));
    await clock.settle();
  };
  const start = () => SystemSettings.start({ client, clock, random }, { ...place, areRequired }, log);
  return { put, start, warnings };
}

test("A-7: a config map that is not there ends the start, with its name", async () => {
  const { put, start } = setUp();
  await put("config-network");
  await put("config-logging");
  await expect(start()).rejects.toThrow("there is no config map knative-serving/config-observability");
});

test("without Knative one that is not there is as good as an empty one", async () => {
  using settings = await setUp(false).start();
  expect(settings.network).toEqual({ mesh: "auto", hasTls: false });
  expect(settings.observability.requestMetrics.protocol).toBe("none");
});

test("A-41, A-51, A-149: level and request log follow their maps; nonsense is told, and what held before stays", async () => {
  const { put, start, warnings } = setUp();
  await put("config-network", { "mesh-compatibility-mode": "disabled" });
  await put("config-logging");
  await put("config-observability");
  using settings = await start();
  const seen: string[] = [];
  settings.follow({
    logging: ({ level }) => void seen.push(`level ${level}`),
    requestLog: (template) => void seen.push(`log '${template}'`),
  });
  expect(seen.splice(0)).toEqual(["level info", "log ''"]);
  await put("config-logging", { "loglevel.activator": "debug" });
  const on = { "logging.enable-request-log": "true" };
  await put("config-observability", { ...on, "logging.request-log-template": "{{.TraceID}}" });
  expect(seen.splice(0)).toEqual(["level debug", "log '{{.TraceID}}'"]);
  await put("config-observability", { ...on, "logging.request-log-template": "{{" });
  await put("config-logging", { "zap-logger-config": "{" });
  await put("config-network", { "mesh-compatibility-mode": "enabled" });
  expect(seen).toEqual([]);
  expect(warnings.map((fields) => fields?.configMap)).toEqual(["config-observability", "config-logging"]);
  expect(settings.network.mesh).toBe("none");
});
